"""The tar.gz that every server gets: how its content is identified, how it is packed and read back.

Layout: `release.json` first, so that it is found without unpacking the rest; then `app/…` and `wheels/*.whl`. The same
content gives the same bytes: sorted, no times, no owners, modes 644 and 755.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import ReleaseError
from tasks.release.cache import draft_file
from tasks.release.model import Release
from tasks.release.tree import Entry

ID_LENGTH = 12
_ID = re.compile(f"[0-9a-f]{{{ID_LENGTH}}}")
_ABOUT = "release.json"
_MOST_ABOUT = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class About:
    """What `release.json` says."""

    app: str
    python: str
    platform: str
    requirements: str | None
    wheels: bool
    label: str
    note: str = ""

    def to_json(self, release: str) -> bytes:
        """Give the content of `release.json`."""
        return json.dumps({**vars(self), "release": release}, indent=1, sort_keys=True).encode() + b"\n"


def is_id(text: str) -> bool:
    """Say whether a text is the id of a release, built or not."""
    return _ID.fullmatch(text) is not None


def identify(about: About, content: Iterable[Entry]) -> str:
    """Give the id of a release: the same for the same content and target, whatever it is called."""
    target = (about.app, about.python, about.platform, about.requirements, about.wheels)
    manifest = json.dumps([target, sorted(entry.fingerprint() for entry in content)])
    return hashlib.sha256(manifest.encode()).hexdigest()[:ID_LENGTH]


def pack(path: Path, release: str, about: About, content: Iterable[Entry]) -> None:
    """Write the artifact, whole or not at all.

    :raises ReleaseError: a file changed since the release was identified, or there is no room for the artifact.
    """
    members = sorted(content, key=lambda entry: entry.name)
    with draft_file(path) as draft:
        try:
            _write(draft, (Entry(name=_ABOUT, content=about.to_json(release)), *members))
        except OSError as error:  # also when a file has become shorter
            raise ReleaseError(f"the release of {about.app} could not be packed to {path}: {error}") from error
        if identify(about, members) != release:
            raise ReleaseError(f"the files of {about.app} changed while they were packed", advice="Build it again.")


def read_back(path: Path) -> Release:
    """Read what an artifact says about itself.

    :raises ReleaseError: it is no artifact of ours, or not a whole one.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            first = archive.next()
            file = archive.extractfile(first) if first and first.name == _ABOUT else None
            if file is None:
                raise ReleaseError(f"{path} is no release: it does not begin with {_ABOUT}")
            about = json.loads(file.read(_MOST_ABOUT))
        if not is_id(about["release"]):
            raise ReleaseError(f"{path} is no release: {about['release']!r} is no id")
        return Release(
            id=about["release"], app=about["app"], label=about["label"], path=path, size=path.stat().st_size,
            has_wheels=about["wheels"], python=about["python"], platform=about["platform"], note=about["note"],
        )  # fmt: skip
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{path} is no release: {error}") from error


def _write(path: Path, content: Iterable[Entry]) -> None:
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=5, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for entry in content:
            _add(archive, entry)


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(entry.name)  # owner 0, time 0
    if entry.content is None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
        archive.addfile(info)
        return
    info.mode = 0o755 if entry.executable else 0o644
    with entry.open() as content:
        info.size = content.seek(0, os.SEEK_END)
        content.seek(0)
        archive.addfile(info, content)
