"""A hypervisor on a bad day: it builds slowly or not at all, loses the beginning of a console, and deletes late.

Stands in front of the real one. What is not struck, and every reboot and snapshot, is passed on as it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tasks.localcloud.compute.machines import Machines
from tasks.localcloud.faults.build_times import BuildSeconds, BuildTimes
from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Faults
from tasks.localcloud.machines.spec import BootFailed, MachineSpec

NO_HOST = "No valid host was found. There are not enough hosts available."
"""nova/scheduler/manager.py; what most builds that die in a real cloud say."""


class UnreliableMachines:
    """Machines as `machines` has them, struck by `faults`; `name_of` gives a server's name by its id."""

    def __init__(
        self,
        machines: Machines,
        faults: Faults,
        name_of: Callable[[str], str],
        build_times: BuildTimes | None = None,
    ) -> None:
        self._machines = machines
        self._faults = faults
        self._name_of = name_of
        self._build_times = build_times or BuildTimes(BuildSeconds())
        self._silent_until: dict[str, float] = {}

    async def boot(self, spec: MachineSpec) -> None:
        """Return when the machine is up, which may be late or never.

        :raises BootFailed: it did not come up.
        """
        name = self._name_of(spec.id)
        slow = self._faults.take(FaultName.BUILD_SLOW, about=name)
        await asyncio.sleep(self._build_times.next() + (slow.seconds if slow else 0.0))
        if self._faults.take(FaultName.BUILD_HANGS, about=name):
            await asyncio.Event().wait()  # until the act is cancelled, which a deletion does
        if self._faults.take(FaultName.BUILD_DIES, about=name):
            raise BootFailed(NO_HOST)
        if late := self._faults.take(FaultName.CONSOLE_LATE, about=name):
            self._silent_until[spec.id] = time.monotonic() + late.seconds
        await self._machines.boot(spec)

    async def reboot(self, machine_id: str) -> None:
        """Let the machine end its processes, and boot it again."""
        await self._machines.reboot(machine_id)

    async def hard_reboot(self, machine_id: str) -> None:
        """Kill the machine, and boot it again."""
        await self._machines.hard_reboot(machine_id)

    async def power_off(self, machine_id: str) -> None:
        """Let the machine end its processes."""
        await self._machines.power_off(machine_id)

    async def power_on(self, machine_id: str) -> None:
        """Boot a machine that is off."""
        await self._machines.power_on(machine_id)

    async def snapshot(self, machine_id: str, name: str) -> None:
        """Copy the machine's disk, for others to begin as.

        :raises SnapshotFailed: it could not be copied; nothing is left of it.
        """
        await self._machines.snapshot(machine_id, name)

    async def remove_snapshot(self, name: str) -> None:
        """Remove such a copy; one that does not exist is no error."""
        await self._machines.remove_snapshot(name)

    async def delete(self, machine_id: str) -> None:
        """End the machine and remove its files, which may begin late; one that does not exist is no error."""
        if hang := self._faults.take(FaultName.DELETE_HANGS, about=self._name_of(machine_id)):
            await asyncio.sleep(hang.seconds)
        await self._machines.delete(machine_id)
        self._silent_until.pop(machine_id, None)

    def console(self, machine_id: str, lines: int | None = None) -> str:
        """Give the last lines of the console log, all when `lines` is None; empty while there is none yet."""
        if time.monotonic() < self._silent_until.get(machine_id, 0.0):
            return ""
        return self._machines.console(machine_id, lines)
