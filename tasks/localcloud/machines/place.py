"""Where a running server's files are, and the environment of its programs.

In namespaces a server's root is `/`. A server that is plain processes has a folder instead, and its programs learn it
from SERVER_ROOT. Everything else in a server asks here, and so need not know the difference.
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TOOLS = "/opt/localcloud"
PYTHON = "/opt/python"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server's root folder, seen from its init, and the environment that its programs start with."""

    root: Path
    environment: Mapping[str, str]

    def at(self, path: str) -> Path:
        """Give the file that the server's absolute `path` names."""
        return self.root / path.lstrip("/")

    @property
    def home(self) -> Path:
        """Root's home."""
        return self.at("/root")


def private_place() -> Place:
    """Give the place of a server with a root file system of its own."""
    paths = [f"{TOOLS}/bin", _SYSTEM_PATH]
    if brings_python():
        paths.insert(1, f"{PYTHON}/bin")
    return Place(root=Path("/"), environment=_environment("root", Path("/root"), paths))


def folder_place(folder: Path) -> Place:
    """Give the place of a server that is plain processes in `folder`, run by whoever runs the daemon."""
    paths = [f"{folder}{TOOLS}/bin", f"{sys.base_prefix}/bin", _SYSTEM_PATH]
    environment = _environment(_user_name(), folder / "root", paths)
    return Place(root=folder, environment=environment | {"SERVER_ROOT": str(folder), "TMPDIR": str(folder / "tmp")})


def brings_python() -> bool:
    """Whether the Python that runs here has to be shown to servers, since it is not below /usr."""
    return not Path(sys.base_prefix).is_relative_to("/usr")


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _environment(user: str, home: Path, paths: list[str]) -> dict[str, str]:
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    return {
        "HOME": str(home),
        "USER": user,
        "LOGNAME": user,
        "SHELL": shell,
        "PATH": ":".join(paths),
        "LANG": "C.UTF-8",
    }
