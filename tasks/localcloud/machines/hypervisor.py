"""The hypervisor: boots, reboots, copies and deletes servers, and notices when one ends by itself.

Owns the folder with the servers' disks and consoles. Refuses to know about namespaces, SSH and the API. It belongs to
one event loop, which it does not block.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tasks.localcloud import trees
from tasks.localcloud.machines import console, snapshots
from tasks.localcloud.machines.exchange import Exchange
from tasks.localcloud.machines.image import adopt_library_cache
from tasks.localcloud.machines.lives import PULL_SECONDS, Lives
from tasks.localcloud.machines.mishaps import Fate, NoMishaps
from tasks.localcloud.machines.refusal import explain
from tasks.localcloud.machines.spec import Boot, Ending, Isolation, MachineSpec

_SOFT_SECONDS = 10.0
_IMAGE = "image"
_SNAPSHOTS = "snapshots"
_EXCHANGE = "exchange.sock"


def _ignore(machine_id: str, reason: str) -> None:
    del machine_id, reason


class Hypervisor:
    """Runs servers in `directory`, a folder of its own that it makes, and removes when it closes.

    `isolation` set to PROCESSES does without namespaces where they are allowed. `on_death` is told the
    id and the reason when a server ended by itself, which one that reboots itself does not. `fate` decides what else
    happens to servers.
    """

    def __init__(
        self,
        directory: Path,
        *,
        isolation: Isolation | None = None,
        on_death: Callable[[str, str], None] = _ignore,
        fate: Fate | None = None,
    ) -> None:
        self.isolation = isolation or Isolation.NAMESPACES
        self.warning: str | None = None
        self._directory = directory
        self._lives = Lives(on_death)
        self._exchange = Exchange(directory / _EXCHANGE, fate or NoMishaps())

    async def start(self) -> None:
        """Start the fork server and find out what this machine allows; sets `isolation` and `warning`.

        :raises BootFailed: when the fork server does not start.
        """
        await asyncio.to_thread(self._make_directory)
        await self._exchange.open()
        await self._lives.forks.start()
        if self.isolation is Isolation.NAMESPACES:
            await self._probe()
        else:
            self.warning = explain("that was asked for")

    async def boot(self, spec: MachineSpec) -> None:
        """Make a server and return when it is up: its init runs and its SSH server listens.

        :raises BootFailed: with the reason; what there is of the server stays until `delete`.
        """
        await self._lives.create(self._boot_of(spec, self._directory / spec.id))

    async def reboot(self, machine_id: str) -> None:
        """End a server's processes with SIGTERM (SIGKILL when they take too long) and boot it again.

        :raises BootFailed: when it does not come up again, or there is no such server.
        """
        await self._lives.end(machine_id, "SIGINT", _SOFT_SECONDS)
        await self._lives.begin(machine_id)

    async def hard_reboot(self, machine_id: str) -> None:
        """End a server's processes with SIGKILL and boot it again.

        :raises BootFailed: when it does not come up again, or there is no such server.
        """
        await self._lives.end(machine_id, "SIGTERM", PULL_SECONDS)
        await self._lives.begin(machine_id)

    async def power_off(self, machine_id: str) -> None:
        """End a server's processes with SIGTERM (SIGKILL when they take too long); its disk stays."""
        await self._lives.end(machine_id, "SIGUSR2", _SOFT_SECONDS)

    async def power_on(self, machine_id: str) -> None:
        """Boot a server that is off.

        :raises BootFailed: when it does not come up, or there is no such server.
        """
        await self._lives.begin(machine_id)

    async def snapshot(self, machine_id: str, name: str) -> None:
        """Copy a server's disk to a snapshot of this name, which new servers' disks can begin as.

        A running server stands still meanwhile, so that all of its files are of one moment. What was a server of plain
        processes may have its old folder's name in its files.

        :raises SnapshotFailed: it could not be copied, or there is no such server.
        """
        boot = self._lives.boot_of(machine_id)
        if boot is None:
            raise snapshots.SnapshotFailed(f"there is no server {machine_id}")
        async with self._lives.standing_still(machine_id):
            await snapshots.take(boot, self._directory / _SNAPSHOTS / name)

    async def remove_snapshot(self, name: str) -> None:
        """Remove a snapshot; servers that were made from it keep their disks. One that does not exist is no error."""
        folder = self._directory / _SNAPSHOTS / name
        if folder.exists():
            await asyncio.to_thread(trees.remove, folder)

    async def delete(self, machine_id: str) -> None:
        """End a server at once and remove its files; a server that does not exist is deleted already."""
        boot = await self._lives.forget(machine_id)
        if boot and boot.folder.exists():
            await asyncio.to_thread(trees.remove, boot.folder)

    def console(self, machine_id: str, lines: int | None = None) -> str:
        """Give a server's console log, or its last lines, without control characters other than tab and line end."""
        return console.read(self._directory / machine_id / "console.log", lines)

    async def close(self) -> None:
        """End every server and the fork server; afterwards no process, mount or file is left."""
        await self._lives.close()
        await self._exchange.close()
        if self._directory.exists():
            await asyncio.to_thread(trees.remove, self._directory)

    def _make_directory(self) -> None:
        if self._directory.exists():
            trees.remove(self._directory)
        self._directory.mkdir(mode=0o700, parents=True)
        (self._directory / _IMAGE / "shared").mkdir(parents=True)

    def _boot_of(self, spec: MachineSpec, folder: Path) -> Boot:
        image = self._directory / _IMAGE
        snapshot = self._directory / _SNAPSHOTS / spec.snapshot if spec.snapshot else None
        return Boot(
            spec=spec,
            folder=folder,
            image=image,
            exchange=self._directory / _EXCHANGE,
            isolation=self.isolation,
            snapshot=snapshot,
        )

    async def _probe(self) -> None:
        """Try the namespaces out on the image itself, which also gets what can only be made in a server."""
        folder = self._directory / _IMAGE
        spec = MachineSpec(
            id=_IMAGE, hostname=_IMAGE, private_ip="", ssh_port=0, authorized_keys=(), shared=folder / "shared"
        )
        status, reason = await self._lives.try_out(self._boot_of(spec, folder))
        if status != Ending.POWER_OFF:
            self.isolation = Isolation.PROCESSES
            self.warning = explain(f"this machine refuses namespaces ({reason or f'status {status}'})")
        else:
            await asyncio.to_thread(adopt_library_cache, folder)
