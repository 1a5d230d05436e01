"""A session's way past the daemon: it is told before a session begins and before its end is told, and may cut either.

Refuses to know what kind of session it is.
"""

from __future__ import annotations

import asyncio

import asyncssh

from tasks.localcloud.machines.line import Line
from tasks.localcloud.machines.mishaps import Kind, Mishap, Occasion, Question

_LONGEST_NAME = 200


class Passage:
    """One session on a channel of an SSH connection."""

    def __init__(self, line: Line, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        self._line = line
        self._channel = channel
        self._name = ""
        self._mishap = Mishap()

    async def begin(self) -> bool:
        """Say whether the session may begin; if not, its client has left or its connection is cut."""
        self._name = _name_of(self._channel)
        self._mishap = await self._ask(Question(occasion=Occasion.SESSION_BEGINS, what=self._name))
        if self._mishap.kind is Kind.CUT:
            self._cut()
            return False
        if self._mishap.kind is Kind.DROPS:
            asyncio.get_running_loop().call_later(self._mishap.seconds, self._cut)
        return True

    async def end(self) -> bool:
        """Say whether the session's end may be told; if not, its client has left or its connection is cut."""
        mishap = self._mishap
        if mishap.kind is not Kind.DROPS:
            question = Question(occasion=Occasion.SESSION_ENDS, what=self._name, ticket=mishap.ticket)
            mishap = await self._ask(question)
        if mishap.kind is Kind.NOTHING:
            return True
        self._cut()
        return False

    def _cut(self) -> None:
        self._channel.get_connection().abort()

    async def _ask(self, question: Question) -> Mishap:
        """Wait for an answer, or until the client has left."""
        asking = asyncio.create_task(self._line.ask(question))
        leaving = asyncio.create_task(self._channel.wait_closed())
        try:
            await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else Mishap(kind=Kind.CUT)
        finally:
            asking.cancel()
            leaving.cancel()


def _name_of(channel: asyncssh.SSHServerChannel[bytes]) -> str:
    """Name a session by what the client asked for: a command line, a subsystem, or a shell."""
    name = channel.get_command() or channel.get_subsystem() or "shell"
    return name[:_LONGEST_NAME].encode("unicode_escape").decode()
