"""The port of a server's SSH server: open, closed, or closed for a while; who comes in is asked about first.

Refuses to know what is spoken behind it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tasks.localcloud.machines import console
from tasks.localcloud.machines.line import Line
from tasks.localcloud.machines.mishaps import Kind, Mishap, Occasion, Question

_BACKLOG = 100
_TOO_MANY_FILES_SECONDS = 1.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the SSH server listens."""

    ip: str
    port: int


class Door:
    """The port; `admit` is given every connection that nothing happens to, and owns it from then on."""

    def __init__(self, address: Address, line: Line, admit: Callable[[socket.socket], Awaitable[None]]) -> None:
        self._address = address
        self._line = line
        self._admit = admit
        self._accepting: asyncio.Task[None] | None = None
        self._opening: asyncio.TimerHandle | None = None
        self._visits: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Accept connections from now on.

        :raises OSError: when the address is not free.
        """
        self._accepting = asyncio.create_task(self._accept(_listen(self._address)))
        console.say(f"sshd: listening on {self._address.ip} port {self._address.port}")

    def open_in(self, seconds: float) -> None:
        """Accept connections as soon as so much time has passed, unless the door is closed before."""
        if self._opening:
            self._opening.cancel()
        self._opening = asyncio.get_running_loop().call_later(seconds, self._open_or_say)

    async def close(self) -> None:
        """Return when connections are refused; those that are open stay open."""
        if self._opening:
            self._opening.cancel()
        if self._accepting:
            self._accepting.cancel()
            await asyncio.wait({self._accepting})

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                try:
                    visitor, _ = await loop.sock_accept(listener)
                except OSError as error:  # as asyncio's own servers do: others may close files meanwhile
                    console.say(f"sshd: cannot accept a connection: {error}")
                    await asyncio.sleep(_TOO_MANY_FILES_SECONDS)
                    continue
                visit = asyncio.create_task(self._receive(visitor))
                self._visits.add(visit)
                visit.add_done_callback(self._visits.discard)

    async def _receive(self, visitor: socket.socket) -> None:
        mishap = await self._line.ask(Question(occasion=Occasion.CONNECTION))
        match mishap.kind:
            case Kind.REFUSED:
                await self._refuse(visitor, mishap)
            case Kind.SILENT:
                await _say_nothing(visitor, mishap.seconds)
            case _:
                await self._admit(visitor)

    async def _refuse(self, visitor: socket.socket, mishap: Mishap) -> None:
        """Reset a connection that the kernel has accepted already, and have the kernel refuse the next ones."""
        if mishap.seconds:
            await self.close()
            self.open_in(mishap.seconds)
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        visitor.close()

    def _open_or_say(self) -> None:
        try:
            self.open()
        except OSError as error:
            console.say(f"sshd: {error}")


async def _say_nothing(visitor: socket.socket, seconds: float) -> None:
    """Keep a connection until the time is up, or the visitor has had enough."""
    loop = asyncio.get_running_loop()
    with visitor:
        try:
            async with asyncio.timeout(seconds):
                while await loop.sock_recv(visitor, 4096):
                    pass
        except (TimeoutError, ConnectionError):
            return


def _listen(address: Address) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.ip, address.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        seen = os.strerror(error.errno or 0).lower()
        raise OSError(error.errno, f"cannot listen on {address.ip} port {address.port}: {seen}") from None
    return listener
