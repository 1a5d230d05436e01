"""The lives of servers: begun, ended, held still, begun again when a server reboots itself.

Owns which servers there are, and what the fork server has said about each. Refuses to know where their files are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from tasks.localcloud.machines.forks import Forks
from tasks.localcloud.machines.life import Life
from tasks.localcloud.machines.spec import Boot, BootFailed, Ending

BOOT_SECONDS = 30.0
PULL_SECONDS = 5.0
_FREEZE_SECONDS = 5.0


class Lives:
    """Every server that there is, running or not. Needs `start` first, and `close` at the end.

    `on_death` is told the id and the reason when a server ended by itself, which one that reboots itself does not.
    """

    def __init__(self, on_death: Callable[[str, str], None]) -> None:
        self.forks = Forks(on_event=self._note, on_end=self._end_with_the_fork_server)
        self._on_death = on_death
        self._boots: dict[str, Boot] = {}
        self._lives: dict[str, Life] = {}
        self._restarts: set[asyncio.Task[None]] = set()

    def boot_of(self, machine_id: str) -> Boot | None:
        """Say how a server is booted, None when there is none."""
        return self._boots.get(machine_id)

    async def create(self, boot: Boot) -> None:
        """Begin the first life of a new server; returns when it is up.

        :raises BootFailed: with the reason; the server is there all the same, until it is forgotten.
        """
        if boot.spec.id in self._boots:
            raise BootFailed(f"server {boot.spec.id} exists already")
        self._boots[boot.spec.id] = boot
        await self.begin(boot.spec.id)

    async def begin(self, machine_id: str) -> None:
        """Boot a server that is off; returns when it is up.

        :raises BootFailed: when it does not come up, or there is no such server.
        """
        boot = self._boots.get(machine_id)
        if boot is None:
            raise BootFailed(f"there is no server {machine_id}")
        life = self._lives[machine_id] = Life()
        self.forks.order(order="boot", boot=boot.to_json())
        await life.wait_for(life.up, BOOT_SECONDS)
        if life.up.done():
            return
        if not life.gone.done():
            life.reason = f"no SSH server after {BOOT_SECONDS:g} s"
            await self.end(machine_id, "SIGTERM", PULL_SECONDS)
        seen = life.reason or f"its init ended with status {life.gone.result()}"
        raise BootFailed(f"server {boot.spec.hostname} ({machine_id}) did not boot: {seen}")

    async def end(self, machine_id: str, signal_name: str, seconds: float) -> None:
        """End a server with a signal, and with harder ones whenever `seconds` have passed; one that is off is ended.

        :raises BootFailed: it survives even SIGKILL.
        """
        life = self._lives.get(machine_id)
        if life is None or life.gone.done():
            return
        life.end_is_wanted = True
        for name in (signal_name, "SIGTERM", "SIGKILL"):
            self.forks.order(order="signal", id=machine_id, signal=name)
            await asyncio.wait({life.gone}, timeout=seconds)
            if life.gone.done():
                return
        raise BootFailed(f"server {machine_id} does not end, not even by SIGKILL")

    async def forget(self, machine_id: str) -> Boot | None:
        """End a server at once and know it no more; gives how it was booted, None when there is none.

        :raises BootFailed: it survives even SIGKILL.
        """
        boot = self._boots.pop(machine_id, None)
        await self.end(machine_id, "SIGTERM", PULL_SECONDS)
        self._lives.pop(machine_id, None)
        return boot

    async def try_out(self, boot: Boot) -> tuple[int, str]:
        """Have the fork server make the image and a server that ends by itself; gives its status and the reason.

        :raises TimeoutError: it does not end.
        """
        life = self._lives[boot.spec.id] = Life()
        life.end_is_wanted = True
        self.forks.order(order="probe", boot=boot.to_json())
        async with asyncio.timeout(BOOT_SECONDS):
            status = await life.gone
        del self._lives[boot.spec.id]
        return status, life.reason

    @contextlib.asynccontextmanager
    async def standing_still(self, machine_id: str) -> AsyncIterator[None]:
        """Stop every process of a server for as long as the context lasts."""
        life = self._lives.get(machine_id)
        if life is None or life.gone.done():
            yield
            return
        life.still = asyncio.get_running_loop().create_future()
        self.forks.order(order="freeze", id=machine_id)
        try:
            await life.wait_for(life.still, _FREEZE_SECONDS)
            yield
        finally:
            self.forks.order(order="thaw", id=machine_id)

    async def close(self) -> None:
        """End every server and the fork server."""
        for life in self._lives.values():
            life.end_is_wanted = True
        self._boots.clear()
        await self.forks.close()
        for task in self._restarts:
            task.cancel()

    def _note(self, event: dict[str, Any]) -> None:
        life = self._lives.get(event["id"])
        if life is None:
            return
        life.note(event)
        if event["event"] == "exited" and life.up.done() and not life.end_is_wanted:
            self._ended_by_itself(event["id"], event["status"], life.reason)

    def _ended_by_itself(self, machine_id: str, status: int, reason: str) -> None:
        if status == Ending.POWER_OFF:
            self._on_death(machine_id, "powered off")
            return
        if status != Ending.REBOOT:
            self._on_death(machine_id, reason or f"ended with status {status}")
            return
        task = asyncio.create_task(self._begin_again(machine_id, self._lives[machine_id]))
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    async def _begin_again(self, machine_id: str, ended: Life) -> None:
        if self._lives.get(machine_id) is not ended:
            return
        try:
            await self.begin(machine_id)
        except BootFailed as failure:
            if machine_id in self._boots:
                self._on_death(machine_id, str(failure))

    def _end_with_the_fork_server(self) -> None:
        for machine_id, life in self._lives.items():
            if not life.gone.done():
                life.reason = "the fork server ended"
                self._note({"event": "exited", "id": machine_id, "status": Ending.PULLED})
