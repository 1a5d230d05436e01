"""The hypervisor: boots, reboots and deletes servers, and notices when one ends by itself.

Owns the folder with the servers' disks and consoles, and the fork server that runs them. Refuses to know about
namespaces, SSH and the API. It belongs to one event loop, which it does not block.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from tasks.localcloud.machines import console, snapshots, trees
from tasks.localcloud.machines.image import adopt_library_cache
from tasks.localcloud.machines.lives import Life
from tasks.localcloud.machines.refusal import explain
from tasks.localcloud.machines.spec import Boot, BootFailed, Ending, Isolation, MachineSpec

BOOT_SECONDS = 30.0
_SOFT_SECONDS = 10.0
_PULL_SECONDS = 5.0
_FREEZE_SECONDS = 5.0
_CLOSE_SECONDS = 15.0
_IMAGE = "image"
_SNAPSHOTS = "snapshots"
_PACKAGES = Path(__file__).parents[3]


def _import_path() -> str:
    """Give the fork server this package, from wherever the daemon has it, and all else that the daemon was given."""
    return os.pathsep.join([str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])


def _ignore(machine_id: str, reason: str) -> None:
    del machine_id, reason


class Hypervisor:
    """Runs servers in `directory`, a folder of its own that it makes, and removes when it closes.

    `isolation` set to PROCESSES does without namespaces where they are allowed. `on_death`, which may be set later,
    is told the id and the reason when a server ended by itself, which one that reboots itself does not.
    """

    def __init__(
        self,
        directory: Path,
        *,
        isolation: Isolation | None = None,
        on_death: Callable[[str, str], None] = _ignore,
    ) -> None:
        self.isolation = isolation or Isolation.NAMESPACES
        self.warning: str | None = None
        self._directory = directory
        self.on_death = on_death
        self._boots: dict[str, Boot] = {}
        self._lives: dict[str, Life] = {}
        self._restarts: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Future[None]
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the fork server and find out what this machine allows; sets `isolation` and `warning`.

        :raises BootFailed: when the fork server does not start.
        """
        self._ready = asyncio.get_running_loop().create_future()
        await asyncio.to_thread(self._make_directory)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tasks.localcloud.machines.forkserver",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": _import_path()},
            start_new_session=True,
        )
        self._listening = asyncio.create_task(self._listen(self._process))
        async with asyncio.timeout(BOOT_SECONDS):
            await self._ready
        if self.isolation is Isolation.NAMESPACES:
            await self._probe()
        else:
            self.warning = explain("that was asked for")

    async def boot(self, spec: MachineSpec) -> None:
        """Make a server and return when it is up: its init runs and its SSH server listens.

        :raises BootFailed: with the reason; what there is of the server stays until `delete`.
        """
        if spec.id in self._boots:
            raise BootFailed(f"server {spec.id} exists already")
        self._boots[spec.id] = self._boot_of(spec, self._directory / spec.id)
        await self._begin(spec.id)

    async def reboot(self, machine_id: str) -> None:
        """End a server's processes with SIGTERM (SIGKILL when they take too long) and boot it again.

        :raises BootFailed: when it does not come up again, or there is no such server.
        """
        await self._end(machine_id, "SIGINT", _SOFT_SECONDS)
        await self._begin(machine_id)

    async def hard_reboot(self, machine_id: str) -> None:
        """End a server's processes with SIGKILL and boot it again.

        :raises BootFailed: when it does not come up again, or there is no such server.
        """
        await self._end(machine_id, "SIGTERM", _PULL_SECONDS)
        await self._begin(machine_id)

    async def power_off(self, machine_id: str) -> None:
        """End a server's processes with SIGTERM (SIGKILL when they take too long); its disk stays."""
        await self._end(machine_id, "SIGUSR2", _SOFT_SECONDS)

    async def power_on(self, machine_id: str) -> None:
        """Boot a server that is off.

        :raises BootFailed: when it does not come up, or there is no such server.
        """
        await self._begin(machine_id)

    async def snapshot(self, machine_id: str, name: str) -> None:
        """Copy a server's disk to a snapshot of this name, which new servers' disks can begin as.

        A running server stands still meanwhile, so that all of its files are of one moment. What was a server of plain
        processes may have its old folder's name in its files.

        :raises SnapshotFailed: it could not be copied, or there is no such server.
        """
        boot = self._boots.get(machine_id)
        if boot is None:
            raise snapshots.SnapshotFailed(f"there is no server {machine_id}")
        async with self._standing_still(machine_id):
            await snapshots.take(boot, self._directory / _SNAPSHOTS / name)

    async def remove_snapshot(self, name: str) -> None:
        """Remove a snapshot; servers that were made from it keep their disks. One that does not exist is no error."""
        folder = self._directory / _SNAPSHOTS / name
        if folder.exists():
            await asyncio.to_thread(trees.remove, folder)

    async def delete(self, machine_id: str) -> None:
        """End a server at once and remove its files; a server that does not exist is deleted already."""
        boot = self._boots.pop(machine_id, None)
        await self._end(machine_id, "SIGTERM", _PULL_SECONDS)
        self._lives.pop(machine_id, None)
        if boot and boot.folder.exists():
            await asyncio.to_thread(trees.remove, boot.folder)

    def console(self, machine_id: str, lines: int | None = None) -> str:
        """Give a server's console log, or its last lines, without control characters other than tab and line end."""
        return console.read(self._directory / machine_id / "console.log", lines)

    async def close(self) -> None:
        """End every server and the fork server; afterwards no process, mount or file is left."""
        for life in self._lives.values():
            life.end_is_wanted = True
        self._boots.clear()
        await self._end_fork_server()
        for task in self._restarts:
            task.cancel()
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
        return Boot(spec=spec, folder=folder, image=image, isolation=self.isolation, snapshot=snapshot)

    async def _probe(self) -> None:
        """Try the namespaces out on the image itself, which also gets what can only be made in a server."""
        folder = self._directory / _IMAGE
        spec = MachineSpec(
            id=_IMAGE, hostname=_IMAGE, private_ip="", ssh_port=0, authorized_keys=(), shared=folder / "shared"
        )
        life = self._lives[_IMAGE] = Life()
        life.end_is_wanted = True
        self._order(order="probe", boot=self._boot_of(spec, folder).to_json())
        async with asyncio.timeout(BOOT_SECONDS):
            status = await life.gone
        del self._lives[_IMAGE]
        if status != Ending.POWER_OFF:
            self.isolation = Isolation.PROCESSES
            self.warning = explain(f"this machine refuses namespaces ({life.reason or f'status {status}'})")
        else:
            await asyncio.to_thread(adopt_library_cache, folder)

    async def _begin(self, machine_id: str) -> None:
        boot = self._boots.get(machine_id)
        if boot is None:
            raise BootFailed(f"there is no server {machine_id}")
        life = self._lives[machine_id] = Life()
        self._order(order="boot", boot=boot.to_json())
        await life.wait_for(life.up, BOOT_SECONDS)
        if life.up.done():
            return
        if not life.gone.done():
            life.reason = f"no SSH server after {BOOT_SECONDS:g} s"
            await self._end(machine_id, "SIGTERM", _PULL_SECONDS)
        seen = life.reason or f"its init ended with status {life.gone.result()}"
        raise BootFailed(f"server {boot.spec.hostname} ({machine_id}) did not boot: {seen}")

    async def _end(self, machine_id: str, signal_name: str, seconds: float) -> None:
        life = self._lives.get(machine_id)
        if life is None or life.gone.done():
            return
        life.end_is_wanted = True
        for name in (signal_name, "SIGTERM", "SIGKILL"):
            self._order(order="signal", id=machine_id, signal=name)
            await asyncio.wait({life.gone}, timeout=seconds)
            if life.gone.done():
                return
        raise BootFailed(f"server {machine_id} does not end, not even by SIGKILL")

    @contextlib.asynccontextmanager
    async def _standing_still(self, machine_id: str) -> AsyncIterator[None]:
        """Stop every process of a server for as long as the context lasts."""
        life = self._lives.get(machine_id)
        if life is None or life.gone.done():
            yield
            return
        life.still = asyncio.get_running_loop().create_future()
        self._order(order="freeze", id=machine_id)
        try:
            await life.wait_for(life.still, _FREEZE_SECONDS)
            yield
        finally:
            self._order(order="thaw", id=machine_id)

    def _order(self, **order: Any) -> None:
        if self._process is None or self._process.returncode is not None or self._process.stdin is None:
            raise BootFailed("the fork server has ended: start the local cloud again")
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "ready":
                self._ready.set_result(None)
            elif life := self._lives.get(event["id"]):
                self._note(life, event)
        status = await process.wait()
        if not self._ready.done():
            self._ready.set_exception(BootFailed(f"the fork server of the local cloud ended with status {status}"))
        for machine_id, life in self._lives.items():
            if not life.gone.done():
                life.reason = "the fork server ended"
                self._note(life, {"event": "exited", "id": machine_id, "status": Ending.PULLED})

    def _note(self, life: Life, event: dict[str, Any]) -> None:
        life.note(event)
        if event["event"] == "exited" and life.up.done() and not life.end_is_wanted:
            self._ended_by_itself(event["id"], event["status"], life.reason)

    def _ended_by_itself(self, machine_id: str, status: int, reason: str) -> None:
        if status == Ending.POWER_OFF:
            self.on_death(machine_id, "powered off")
            return
        if status != Ending.REBOOT:
            self.on_death(machine_id, reason or f"ended with status {status}")
            return
        task = asyncio.create_task(self._begin_again(machine_id, self._lives[machine_id]))
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    async def _begin_again(self, machine_id: str, ended: Life) -> None:
        if self._lives.get(machine_id) is not ended:
            return
        try:
            await self._begin(machine_id)
        except BootFailed as failure:
            if machine_id in self._boots:
                self.on_death(machine_id, str(failure))

    async def _end_fork_server(self) -> None:
        if self._process is None or self._process.stdin is None or self._listening is None:
            return
        self._process.stdin.close()
        await asyncio.wait({self._listening}, timeout=_CLOSE_SECONDS)
        if not self._listening.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._listening
