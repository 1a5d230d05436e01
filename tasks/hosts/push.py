"""What is sent to a server before its set-up, as one tar stream: one round trip, whatever the number of files."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import SettingsError
from tasks.hosts.running import Sink

RELEASE = "release.tar.gz"
DIGEST = "release.sha256"
SCRIPTS = "bootstrap_scripts"
_PRIVATE, _PLAIN, _EXECUTABLE = 0o600, 0o644, 0o755
_AT_ONCE = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What a server gets.

    :param scripts: the bootstrap scripts' folder, with whatever lies beside them.
    :param artifact: the release; None when the server has it already.
    :param digest: its SHA-256, by which the server knows that it has the right one before it looks into it.
    """

    env: str
    procfile: str
    scripts: Path
    artifact: Path | None
    digest: str

    def write(self, sink: Sink) -> None:
        """Write the tar stream: owned by root, modes 644 and 755, the env file 600."""
        with tarfile.open(  # type: ignore[call-overload]
            fileobj=sink, mode="w|", format=tarfile.GNU_FORMAT, bufsize=_AT_ONCE
        ) as stream:
            _add_text(stream, "env", self.env, _PRIVATE)
            _add_text(stream, "Procfile", self.procfile, _PLAIN)
            _add_text(stream, DIGEST, self.digest + "\n", _PLAIN)
            add_scripts(stream, self.scripts, files_below(self.scripts))
            if self.artifact:
                _add_file(stream, RELEASE, self.artifact, _PLAIN)


def script_names(folder: Path) -> tuple[str, ...]:
    """Give the names of the scripts that set a server up, in the order in which they run.

    :raises SettingsError: there are none.
    """
    names = tuple(sorted(path.name for path in folder.glob("[0-9]*.sh") if path.is_file()))
    if not names:
        raise SettingsError(f"there are no bootstrap scripts in {folder}", advice="Name them like 10-packages.sh.")
    return names


def is_machine_script(name: str) -> bool:
    """Say whether a script sets up the machine, for any release: those named 0 to 4 do; 5 to 9 need the release."""
    return name < "5"


def add_scripts(stream: tarfile.TarFile, folder: Path, paths: Iterable[Path]) -> None:
    """Add files of the scripts' folder to a tar stream, as they are to lie on a server."""
    for path in paths:
        name = f"{SCRIPTS}/{path.relative_to(folder).as_posix()}"
        _add_file(stream, name, path, _EXECUTABLE if _is_run(path) else _PLAIN)


def files_below(folder: Path) -> list[Path]:
    """List the files of a folder, at any depth, sorted; without what Python leaves behind."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _is_run(path: Path) -> bool:
    return path.suffix == ".sh" or bool(path.stat().st_mode & 0o100)


def _add_text(stream: tarfile.TarFile, name: str, text: str, mode: int) -> None:
    # What the operator's environment holds may be no UTF-8: it arrives as it is.
    content = text.encode(errors="surrogateescape")
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    stream.addfile(member, io.BytesIO(content))


def _add_file(stream: tarfile.TarFile, name: str, path: Path, mode: int) -> None:
    with path.open("rb") as file:
        member = stream.gettarinfo(arcname=name, fileobj=file)
        member.mode, member.uid, member.gid, member.uname, member.gname = mode, 0, 0, "root", "root"
        stream.addfile(member, file)
