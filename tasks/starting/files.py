"""The files that make an app deployable: which, with what in them, and where. Nothing is overwritten unasked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import SettingsError
from tasks.settings import PACKAGE_ROOT
from tasks.settings_file import FILE_NAME, parse
from tasks.starting.model import App
from tasks.starting.reading import text_of
from tasks.starting.settings_text import Where, settings_text

FABFILE = "fabfile.py"
IMPORT = re.compile(r"^from tasks import .*\bns\b", re.MULTILINE)
FABFILE_TEXT = "from tasks import ns  # noqa: F401  the tasks of disposable-servers: fab --list\n"
SCRIPTS = "bootstrap_scripts"
APART = "deploy"
_ON_REQUEST = "on_request"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to be written.

    :param path: where.
    :param about: what it is, in a few words.
    """

    path: Path
    content: bytes
    executable: bool = False
    about: str = ""

    @property
    def is_there(self) -> bool:
        """Say whether the very same file is there already."""
        return self.path.is_file() and self.path.read_bytes() == self.content

    @property
    def is_in_the_way(self) -> bool:
        """Say whether there is something else."""
        return os.path.lexists(self.path) and not self.is_there


def settings_folder(folder: Path) -> Path:
    """Give where fabfile.py and deploy.toml go: beside the app, unless it has a `tasks` of its own there.

    That would be imported instead of ours.
    """
    is_taken = (folder / "tasks.py").exists() or (folder / "tasks").is_dir()
    return folder / APART if is_taken else folder


def planned(app: App, where: Where, folder: Path) -> tuple[File, ...]:
    """Give the files for an app in a folder.

    :raises SettingsError: what was asked for makes no settings, such as a name that servers cannot have.
    """
    home = settings_folder(folder)
    text = settings_text(app, where)
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"what was said of {where.name!r} is no UTF-8, and settings have to be") from None
    parse(text, home / FILE_NAME)
    own = [
        File(path=folder / name, content=content.encode(), about="what the app needs on a server")
        for name, content in app.files.items()
    ]
    return (
        File(path=home / FILE_NAME, content=content, about="the settings"),
        *_fabfile(home / FABFILE),
        *own,
        *(_scripts(app, home / SCRIPTS) if where.scripts else ()),
    )


def write(files: tuple[File, ...]) -> None:
    """Write files, whatever is in their place.

    :raises SettingsError: a file cannot be written.
    """
    for file in files:
        try:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            file.path.write_bytes(file.content)
            if file.executable:
                file.path.chmod(file.path.stat().st_mode | 0o111)
        except OSError as refused:
            raise SettingsError(f"{file.path} can not be written: {refused.strerror}") from None


def refuse_to_overwrite(files: tuple[File, ...]) -> None:
    """Refuse when a file is there that says something else; nothing has been written then.

    :raises SettingsError: names them.
    """
    taken = [str(file.path) for file in files if file.is_in_the_way]
    if taken:
        raise SettingsError(
            f"nothing was written, because there is already: {', '.join(taken)}",
            advice="`--force` overwrites; what is there is lost then.",
        )


def _fabfile(path: Path) -> Iterator[File]:
    """Give the fabfile, unless there is one that has our tasks already."""
    if not IMPORT.search(text_of(path)):
        yield File(path=path, content=FABFILE_TEXT.encode(), about="where fab finds the tasks")


def _scripts(app: App, home: Path) -> list[File]:
    """Give a copy of the bootstrap scripts for everybody to change, with those that this app needs."""
    shipped = PACKAGE_ROOT / SCRIPTS
    common = {path.relative_to(shipped): path for path in sorted(shipped.rglob("*")) if _is_common(path, shipped)}
    wanted: Mapping[Path, Path] = common | {Path(name): shipped / _ON_REQUEST / name for name in app.scripts}
    return [
        File(path=home / name, content=path.read_bytes(), executable=os.access(path, os.X_OK), about="set-up")
        for name, path in wanted.items()
    ]


def _is_common(path: Path, shipped: Path) -> bool:
    parts = path.relative_to(shipped).parts
    return path.is_file() and parts[0] != _ON_REQUEST and "__pycache__" not in parts
