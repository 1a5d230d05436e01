"""The tar.gz that every server gets: how its content is identified, how it is packed and read back.

Layout: `release.json` first, so that it is found without unpacking the rest; then `app/…` and `wheels/*.whl`. The same
content gives the same bytes: sorted, no times, no owners, modes 644 and 755.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
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


def identify(about: About, content: Iterable[Entry]) -> str:
    """Give the id of a release: the same for the same content and target, whatever it is called."""
    target = (about.app, about.python, about.platform, about.requirements, about.wheels)
    manifest = json.dumps([target, sorted(entry.fingerprint() for entry in content)])
    return hashlib.sha256(manifest.encode()).hexdigest()[:ID_LENGTH]


def pack(path: Path, release: str, about: About, content: Iterable[Entry]) -> None:
    """Write the artifact, whole or not at all.

    :raises ReleaseError: a file changed since the release was identified.
    """
    members = sorted(content, key=lambda entry: entry.name)
    with draft_file(path) as draft:
        with (
            draft.open("wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=5, fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
        ):
            for entry in (Entry(name=_ABOUT, content=about.to_json(release)), *members):
                _add(archive, entry)
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
        if not _ID.fullmatch(about["release"]):
            raise ReleaseError(f"{path} is no release: {about['release']!r} is no id")
        return Release(
            id=about["release"], app=about["app"], label=about["label"], path=path, size=path.stat().st_size,
            has_wheels=about["wheels"], python=about["python"], platform=about["platform"], note=about["note"],
        )  # fmt: skip
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{path} is no release: {error}") from error


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(entry.name)  # owner 0, time 0
    if entry.content is None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
        archive.addfile(info)
        return
    content = entry.read()
    info.size, info.mode = len(content), 0o755 if entry.executable else 0o644
    archive.addfile(info, io.BytesIO(content))
