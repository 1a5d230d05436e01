"""What compute needs of a hypervisor, and which machine each server needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tasks.localcloud.compute.server import Server
from tasks.localcloud.machines.spec import InjectedFile, MachineSpec
from tasks.localcloud.network import AddressPool


class Machines(Protocol):
    """What compute needs of a hypervisor."""

    async def boot(self, spec: MachineSpec) -> None:
        """Return when the machine is up.

        :raises BootFailed: it did not come up.
        """

    async def reboot(self, machine_id: str) -> None:
        """Let the machine end its processes, and boot it again."""

    async def hard_reboot(self, machine_id: str) -> None:
        """Kill the machine, and boot it again."""

    async def power_off(self, machine_id: str) -> None:
        """Let the machine end its processes."""

    async def power_on(self, machine_id: str) -> None:
        """Boot a machine that is off."""

    async def snapshot(self, machine_id: str, name: str) -> None:
        """Copy the machine's disk, for others to begin as.

        :raises SnapshotFailed: it could not be copied; nothing is left of it.
        """

    async def remove_snapshot(self, name: str) -> None:
        """Remove such a copy; one that does not exist is no error."""

    async def delete(self, machine_id: str) -> None:
        """End the machine and remove its files; one that does not exist is no error."""

    def console(self, machine_id: str, lines: int | None = None) -> str:
        """Give the last lines of the console log, all when `lines` is None; empty when there is none yet."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What all servers of this cloud have in common: where their addresses come from, the SSH port, the volume."""

    private_ips: AddressPool
    ssh_port: int
    shared: Path


def machine_of(server: Server, site: Site) -> MachineSpec:
    """Say which machine a server needs."""
    request = server.request
    return MachineSpec(
        id=server.id,
        hostname=server.hostname,
        private_ip=server.private_ip,
        ssh_port=site.ssh_port,
        authorized_keys=(request.key.public_key,) if request.key else (),
        personality=tuple(InjectedFile(path=path, contents=text) for path, text in request.personality.items()),
        user_data=request.user_data,
        metadata=server.metadata,
        shared=site.shared,
        snapshot=None if request.image.public else request.image.id,
    )
