"""The SSH server as a service of its server: started at boot, stopped, and given new host keys while it runs.

`service ssh stop|start|restart|reload` in a server leads here, by SIGHUP. As on Debian, an SSH server that finds
`/etc/ssh/sshd_not_to_be_run` is not started, at no boot. Connections that are open outlive all of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress

from asyncssh import KeyImportError, SSHAcceptor, SSHKey

from tasks.localcloud.machines import console, firstboot, sshd
from tasks.localcloud.machines.children import Children
from tasks.localcloud.machines.place import Place

_FORBIDDEN = "/etc/ssh/sshd_not_to_be_run"
_STOPPED = "/run/sshd.stopped"
_ANSWER = "/run/sshd.answer"


class SshService:
    """The SSH server of one server."""

    def __init__(self, address: sshd.Address, place: Place, children: Children) -> None:
        self._address = address
        self._place = place
        self._children = children
        self._acceptor: SSHAcceptor | None = None
        self._one_at_a_time = asyncio.Lock()
        self._errands: set[asyncio.Task[None]] = set()

    async def start(self, keys: Sequence[SSHKey]) -> None:
        """Listen with these host keys, unless the server has been told for good not to.

        :raises OSError: when the address is not free.
        """
        if self._place.at(_FORBIDDEN).exists():
            console.say(f"sshd: not started, since {_FORBIDDEN} is there")
            return
        self._place.at(_STOPPED).unlink(missing_ok=True)
        self._acceptor = await sshd.listen(self._address, keys, self._place, self._children)
        console.say(f"sshd: listening on {self._address.ip} port {self._address.port}")

    def hang_up(self) -> None:
        """Do what `service` has asked for, take up the host keys that lie in /etc/ssh now, and answer."""
        errand = asyncio.create_task(self._run())
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    def stop(self) -> None:
        """Accept no more connections."""
        if self._acceptor:
            self._acceptor.close()
            self._acceptor = None

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
            self.stop()
            console.say("sshd: stopped")
            return
        keys = firstboot.stored_keys(self._place)
        if not self._acceptor:
            await self.start(keys)
        elif keys:
            self._acceptor.update(server_host_keys=keys)
            console.say("sshd: host keys read again")

    def _answer(self) -> None:
        with suppress(OSError):  # nobody waits: the signal was not sent by `service`
            pipe = os.open(self._place.at(_ANSWER), os.O_WRONLY | os.O_NONBLOCK)
            os.write(pipe, b"done\n")
            os.close(pipe)
