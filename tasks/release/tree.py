"""The files of an app that are shipped, from a work tree or from a git revision. Knows nothing of archives or wheels.

In git: what git tracks, and new files that it does not ignore. Outside git: everything but dot-folders, `.env` files,
`__pycache__` and virtual environments.
"""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tasks.errors import ReleaseError
from tasks.release import git
from tasks.release.model import Source


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file or symlink of a release.

    :param name: its path below the release's root, with "/".
    :param content: its bytes, or the file that holds them; None for a symlink.
    :param link: where a symlink points, as written in it.
    """

    name: str
    executable: bool = False
    content: bytes | Path | None = None
    link: str = ""

    def open(self) -> BinaryIO:
        """Open the content, which may be larger than memory.

        :raises ReleaseError: its file cannot be read.
        """
        if not isinstance(self.content, Path):
            return io.BytesIO(self.content or b"")
        try:
            return self.content.open("rb")
        except OSError as error:
            raise ReleaseError(f"{self.content} cannot be read: {error.strerror}") from error

    def fingerprint(self) -> tuple[str, str, str]:
        """Identify the entry: name, kind and content."""
        if self.content is None:
            return (self.name, "link", self.link)
        with self.open() as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]  # any binary file will do
        return (self.name, "755" if self.executable else "644", digest)


def entries(source: Source) -> tuple[Entry, ...]:
    """Give the app's files, sorted by name.

    :raises ReleaseError: there is no such folder or revision, there are no files in it, or a symlink leads out of it.
    """
    if not source.path.is_dir():
        raise ReleaseError(f"there is no app to ship: {source.path} is not a folder", advice="Correct the app's path.")
    listed = _of_work_tree(source.path) if source.revision is None else _of_revision(source.path, source.revision)
    found = tuple(sorted(listed, key=lambda entry: entry.name))
    if not found:
        where = "tracks no file" if git.is_in_git(source.path) else "there is no file"
        raise ReleaseError(f"the app {source.app} is empty: {where} in {source.path}", advice="Correct the app's path.")
    _refuse_links_out(found, source.path)
    return found


def _of_work_tree(folder: Path) -> Iterator[Entry]:
    names = set(git.tracked_and_new(folder)) if git.is_in_git(folder) else _walk(folder)
    for name in names:
        path = folder / name
        if path.is_symlink():
            yield Entry(name=name, link=str(path.readlink()))
        elif path.is_file():
            yield Entry(name=name, content=path, executable=bool(path.stat().st_mode & 0o100))
        elif path.is_dir():  # git lists a submodule, or a repository within, as one name
            yield from (_below(name, entry) for entry in _of_work_tree(path))


def _below(folder: str, entry: Entry) -> Entry:
    name = posixpath.join(folder.rstrip("/"), entry.name)
    return Entry(name=name, executable=entry.executable, content=entry.content, link=entry.link)


def _walk(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if _is_shipped(here / name))
        links = [name for name in folders if (here / name).is_symlink()]
        for name in (*links, *files):
            if name != ".env":
                yield (here / name).relative_to(folder).as_posix()


def _is_shipped(folder: Path) -> bool:
    is_venv = (folder / "pyvenv.cfg").exists()
    return not (folder.name.startswith(".") or folder.name == "__pycache__" or is_venv)


def _of_revision(folder: Path, revision: str) -> Iterator[Entry]:
    with git.archive(folder, git.commit_of(folder, revision)) as archive:
        for member in archive:
            if member.issym():
                yield Entry(name=member.name, link=member.linkname)
            elif (content := archive.extractfile(member)) is not None:
                yield Entry(name=member.name, content=content.read(), executable=bool(member.mode & 0o100))


def _refuse_links_out(found: tuple[Entry, ...], folder: Path) -> None:
    for entry in found:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(entry.name), entry.link))
        if entry.link and (target.startswith(("../", "/")) or target == ".."):
            raise ReleaseError(
                f"the symlink {entry.name} in {folder} leads out of the app, to {entry.link}: no server has that",
                advice="Replace it by what it points to, or let git ignore it.",
            )
