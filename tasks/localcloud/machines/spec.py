"""What a server is made from, and how it ended: the values that the parts of a server pass around.

Owns their form on the pipe between the daemon and the fork server. Refuses to know how a server is run.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any


class BootFailed(Exception):
    """A server did not come up; the text is the reason, fit for Nova's `fault.message`."""


class Isolation(StrEnum):
    """What keeps one server apart from the others and from the host."""

    NAMESPACES = "namespaces"
    PROCESSES = "processes"


class Ending(IntEnum):
    """The exit status of an init, which says why its server is down."""

    POWER_OFF = 0
    REBOOT = 64
    PANIC = 65
    PULLED = 66


@dataclass(frozen=True, kw_only=True)
class InjectedFile:
    """A file written into a server at its first boot (Nova's "personality"), owned by root."""

    path: str
    contents: bytes


@dataclass(frozen=True, kw_only=True)
class MachineSpec:
    """One server.

    `private_ip` is a 127.x.y.z of its own, where its SSH server listens on `ssh_port`. `authorized_keys` are OpenSSH
    public key lines for root. `user_data` is decoded. `metadata` can be read in the server in /run/metadata.json.
    `shared` is the host folder that it sees as /srv/shared. `snapshot` names the one that its disk begins as, None for
    the image of this machine.
    """

    id: str
    hostname: str
    private_ip: str
    ssh_port: int
    authorized_keys: tuple[str, ...]
    shared: Path
    personality: tuple[InjectedFile, ...] = ()
    user_data: bytes | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    snapshot: str | None = None


@dataclass(frozen=True, kw_only=True)
class Boot:
    """One start of a server: what it is, its folder, the image its disk begins as, and how it is kept apart.

    `exchange` is the socket on which it asks what happens to it. `snapshot` is the folder of the snapshot that the disk
    begins as instead.
    """

    spec: MachineSpec
    folder: Path
    image: Path
    exchange: Path
    isolation: Isolation
    snapshot: Path | None = None

    @property
    def disk(self) -> Path:
        """The folder that is the server's root file system, kept over reboots."""
        return self.folder / "disk"

    @property
    def console(self) -> Path:
        """The file that is the server's console log."""
        return self.folder / "console.log"

    def to_json(self) -> str:
        """Write the start as one line."""
        return json.dumps(asdict(self), default=_plain)

    @classmethod
    def from_json(cls, line: str) -> Boot:
        """Read a line of `to_json`."""
        fields = json.loads(line)
        return cls(
            spec=_spec(fields["spec"]),
            folder=Path(fields["folder"]),
            image=Path(fields["image"]),
            exchange=Path(fields["exchange"]),
            isolation=Isolation(fields["isolation"]),
            snapshot=Path(fields["snapshot"]) if fields["snapshot"] else None,
        )


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _spec(fields: dict[str, Any]) -> MachineSpec:
    files = [
        InjectedFile(path=file["path"], contents=base64.b64decode(file["contents"])) for file in fields["personality"]
    ]
    user_data = fields["user_data"]
    return MachineSpec(
        **fields
        | {
            "authorized_keys": tuple(fields["authorized_keys"]),
            "shared": Path(fields["shared"]),
            "personality": tuple(files),
            "user_data": None if user_data is None else base64.b64decode(user_data),
        }
    )
