"""The SSH server as a service of its server: started at boot, stopped, and given new host keys while it runs.

`service ssh stop|start|restart|reload` in a server leads here, by SIGHUP. As on Debian, an SSH server that finds
`/etc/ssh/sshd_not_to_be_run` is not started, at no boot. Connections that are open outlive all of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress

from asyncssh import KeyImportError, SSHKey

from tasks.localcloud.machines import console, firstboot, sshd
from tasks.localcloud.machines.children import Children
from tasks.localcloud.machines.door import Address, Door
from tasks.localcloud.machines.line import Line
from tasks.localcloud.machines.mishaps import Kind, Occasion, Question
from tasks.localcloud.machines.place import Place

_FORBIDDEN = "/etc/ssh/sshd_not_to_be_run"
_STOPPED = "/run/sshd.stopped"
_ANSWER = "/run/sshd.answer"


class SshService:
    """The SSH server of one server."""

    def __init__(self, address: Address, place: Place, children: Children, line: Line) -> None:
        self._address = address
        self._place = place
        self._line = line
        self._sshd = sshd.Sshd(place, children, line)
        self._door: Door | None = None
        self._one_at_a_time = asyncio.Lock()
        self._errands: set[asyncio.Task[None]] = set()

    async def start(self, keys: Sequence[SSHKey]) -> None:
        """Listen with these host keys, unless the server has been told for good not to, or is late today.

        :raises OSError: when the address is not free.
        """
        if self._place.at(_FORBIDDEN).exists():
            console.say(f"sshd: not started, since {_FORBIDDEN} is there")
            return
        self._place.at(_STOPPED).unlink(missing_ok=True)
        await self._sshd.show(keys)
        door = Door(self._address, self._line, self._sshd.serve)
        mishap = await self._line.ask(Question(occasion=Occasion.SSH_STARTS))
        if mishap.kind is Kind.LATE:
            door.open_in(mishap.seconds)
        else:
            door.open()
        self._door = door

    def hang_up(self) -> None:
        """Do what `service` has asked for, take up the host keys that lie in /etc/ssh now, and answer."""
        errand = asyncio.create_task(self._run())
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    async def stop(self) -> None:
        """Return when no more connections are accepted."""
        if self._door:
            await self._door.close()
            self._door = None

    async def _run(self) -> None:
        async with self._one_at_a_time:
            try:
                await self._obey()
            except (OSError, KeyImportError) as error:
                console.say(f"sshd: stays as it is: {error}")
            finally:
                self._answer()

    async def _obey(self) -> None:
        if self._place.at(_STOPPED).exists():
            await self.stop()
            console.say("sshd: stopped")
            return
        keys = firstboot.stored_keys(self._place)
        if not self._door:
            await self.start(keys)
        elif keys:
            await self._sshd.show(keys)
            console.say("sshd: host keys read again")

    def _answer(self) -> None:
        with suppress(OSError):  # nobody waits: the signal was not sent by `service`
            pipe = os.open(self._place.at(_ANSWER), os.O_WRONLY | os.O_NONBLOCK)
            os.write(pipe, b"done\n")
            os.close(pipe)
