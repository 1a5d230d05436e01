"""The values of a release: what it is built from, for what, and what came out. Knows no git, no pip and no archive."""

from __future__ import annotations

import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Source:
    """An app's source.

    :param app: its name.
    :param path: its folder; may be a part of a git work tree.
    :param requirements: the requirements file, relative to `path`; None when the app has none.
    :param revision: the git revision to ship; None for the work tree as it is.
    """

    app: str
    path: Path
    requirements: str | None = "requirements.txt"
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """The servers' Python.

    :param python: its version, such as "3.11".
    :param implementation: as in a wheel's name, such as "cp".
    :param platforms: wheel platform tags, such as "manylinux2014_aarch64"; empty for the platform of this machine.
    """

    python: str
    implementation: str = "cp"
    platforms: tuple[str, ...] = ()

    @classmethod
    def here(cls) -> Target:
        """Give the Python that runs this."""
        return cls(python=f"{sys.version_info.major}.{sys.version_info.minor}", implementation=_implementation_here())

    @property
    def is_here(self) -> bool:
        """Say whether wheels that are built on this machine fit the servers."""
        return self == Target.here()

    @property
    def platform(self) -> str:
        """Name the platform, for people and for the digest of the wheels."""
        here = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        return ",".join(self.platforms) or here


@dataclass(frozen=True, kw_only=True)
class Release:
    """A built artifact.

    :param id: names its content; the same source, wheels and target give the same id.
    :param label: what people call it: `git describe`, "+changes" when the work tree differs, or "no git".
    :param path: the tar.gz.
    :param size: in bytes.
    :param note: why it has no wheels although the app has requirements; empty otherwise.
    """

    id: str
    app: str
    label: str
    path: Path
    size: int
    has_wheels: bool
    python: str
    platform: str
    note: str = ""


def _implementation_here() -> str:
    return {"cpython": "cp", "pypy": "pp"}.get(sys.implementation.name, sys.implementation.name)
