"""The first process of a server: boots it, reaps its processes, and ends them when it goes down.

Owns the order of a boot, which is cloud-init's: identity, injected files and keys; then SSH; then rc.local; then user
data, and only then the host keys on the console. Refuses to know whether the server is in namespaces.
"""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tasks.localcloud.machines import console, firstboot
from tasks.localcloud.machines.children import Children
from tasks.localcloud.machines.cloudconfig import UserData
from tasks.localcloud.machines.cron import Cron
from tasks.localcloud.machines.door import Address
from tasks.localcloud.machines.line import Line
from tasks.localcloud.machines.mishaps import Kind, Occasion, Question
from tasks.localcloud.machines.place import Place
from tasks.localcloud.machines.spec import Ending, MachineSpec
from tasks.localcloud.machines.ssh_service import SshService

GRACE_SECONDS = 5.0
"""How long processes have between SIGTERM and SIGKILL when a server goes down softly."""

_SIGNALS = {signal.SIGINT: Ending.REBOOT, signal.SIGUSR2: Ending.POWER_OFF, signal.SIGTERM: Ending.PULLED}


class Init:
    """One life of a server, from boot to end.

    `lifeline` is a pipe that ends when the fork server does; then the server has to end too. `is_up` is called once,
    when the SSH server listens, or was told not to. `line` is where the server asks what happens to it.
    """

    def __init__(
        self, spec: MachineSpec, place: Place, *, lifeline: int, line: Line, is_up: Callable[[], None]
    ) -> None:
        self._spec = spec
        self._place = place
        self._lifeline = lifeline
        self._line = line
        self._is_up = is_up
        self._children = Children()

    def live(self) -> Ending:
        """Boot, serve until the server is told to end, end all its processes, and say why it ended.

        :raises OSError: and others, when the boot cannot be completed.
        """
        os.umask(0o022)
        os.environ.clear()
        os.environ.update(self._place.environment)
        os.chdir(self._place.home)
        return asyncio.run(self._live())

    async def _live(self) -> Ending:
        ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._listen_for_the_end(ending)
        self._children.watch()
        console.say(f"Linux version {platform.release()} ({platform.machine()}), server {self._spec.id}")
        user_data = self._prepare()
        await self._line.open()
        ssh = await self._start_ssh(user_data)
        self._is_up()
        services = [asyncio.create_task(Cron(self._place, self._children).run())]
        services.append(asyncio.create_task(self._final_stage(user_data)))
        services.append(asyncio.create_task(self._die_when_told(ending)))
        for service in services:
            service.add_done_callback(_report_failure)
        why = await ending
        await self._shut_down(why, services, ssh)
        return why

    def _listen_for_the_end(self, ending: asyncio.Future[Ending]) -> None:
        loop = asyncio.get_running_loop()

        def end(why: Ending) -> None:
            if not ending.done():
                ending.set_result(why)

        for number, why in _SIGNALS.items():
            loop.add_signal_handler(number, end, why)

        def lose_lifeline() -> None:
            loop.remove_reader(self._lifeline)
            end(Ending.PULLED)

        loop.add_reader(self._lifeline, lose_lifeline)

    def _prepare(self) -> UserData:
        place = self._place
        if place.at("/dev/console").is_fifo():
            console.collect(place.at("/dev/console"))
        place.at("/run/init.pid").write_text(f"{os.getpid()}\n")
        firstboot.forget_other_server(self._spec, place)
        firstboot.write_identity(self._spec, place)
        console.say(f"Host name set to {self._spec.hostname}")
        firstboot.inject(self._spec, place)
        return firstboot.apply_user_data(self._spec, place)

    async def _start_ssh(self, user_data: UserData) -> SshService:
        keys = firstboot.host_keys(self._spec, self._place, user_data.host_keys)
        address = Address(ip=self._spec.private_ip, port=self._spec.ssh_port)
        ssh = SshService(address, self._place, self._children, self._line)
        await ssh.start(keys)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, ssh.hang_up)
        return ssh

    async def _die_when_told(self, ending: asyncio.Future[Ending]) -> None:
        mishap = await self._line.ask(Question(occasion=Occasion.LIFE))
        if mishap.kind is Kind.DIES and not ending.done():
            ending.set_result(Ending.PULLED)

    async def _final_stage(self, user_data: UserData) -> None:
        rc_local = self._place.at("/etc/rc.local")
        if os.access(rc_local, os.X_OK):
            await self._run(rc_local)
        if user_data.script and firstboot.is_first(self._place, "scripts_user"):
            script = self._place.at("/var/lib/cloud/instance/user-script")
            script.write_bytes(user_data.script)
            script.chmod(0o700)
            await self._run(script)
        if firstboot.is_first(self._place, "keys_to_console"):
            console.show_host_keys(firstboot.stored_keys(self._place))
        firstboot.finish_boot(self._place)
        console.say("Reached target Multi-User System")
        sys.stderr.write(f"\n{self._spec.hostname} login: \n")

    async def _run(self, program: Path) -> None:
        console.say(f"Starting {program}")
        try:
            child = self._children.start(
                [str(program)],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sys.stderr,
                stderr=sys.stderr,
                cwd=self._place.home if "SERVER_ROOT" in self._place.environment else "/",
                env=self._place.environment,
            )
        except OSError as error:
            console.say(f"{program} could not be started: {error}")
            return
        if status := await child.wait():
            console.say(f"{program} failed with status {status}")

    async def _shut_down(self, why: Ending, services: list[asyncio.Task[None]], ssh: SshService) -> None:
        for service in services:
            service.cancel()
        await ssh.stop()
        if why is Ending.PULLED:
            await self._children.kill_all()
            return
        console.say(f"Sending SIGTERM to all processes ({why.name.lower().replace('_', ' ')})")
        await self._children.end_all(grace=GRACE_SECONDS)
        console.say("All processes ended")


def _report_failure(service: asyncio.Task[None]) -> None:
    if not service.cancelled() and (error := service.exception()):
        console.say(f"a service of the server failed: {error!r}")
