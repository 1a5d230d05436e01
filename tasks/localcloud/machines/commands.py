"""Commands that come over SSH: started, fed, and their output sent to the last byte before the exit status closes.

As in OpenSSH, a session ends when its command has ended *and* nobody holds its output open any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
from typing import IO

import asyncssh

from tasks.localcloud.machines.children import Child, Children
from tasks.localcloud.machines.passage import Passage
from tasks.localcloud.machines.place import Place

_CHUNK = 65536
_GRACE_SECONDS = 2.0

Process = asyncssh.SSHServerProcess[bytes]


async def serve(process: Process, passage: Passage, place: Place, children: Children) -> None:
    """Run one session, if it may begin: a command, or a login shell when none was asked for."""
    if not await passage.begin():
        return
    try:
        if process.term_type is None:
            session = _with_pipes(process, place, children)
        else:
            session = _on_terminal(process, place, children)
    except OSError as error:
        process.stderr.write(f"sshd: cannot start the command: {error}\n".encode())
        process.exit(127)
        return
    await session.run(passage)


class _Session:
    """A started command and the ends of its pipes, or of its terminal, that belong to the server."""

    def __init__(
        self, process: Process, child: Child, *, feed: IO[bytes], outputs: list[tuple[IO[bytes], int]]
    ) -> None:
        self._process = process
        self._child = child
        self._feed = feed
        self._outputs = outputs

    async def run(self, passage: Passage) -> None:
        """Serve until the command has ended, its output is sent, and the status too; or until the client leaves."""
        feeding = asyncio.create_task(self._pass_input_on())
        finishing = asyncio.create_task(self._finish(passage))
        leaving = asyncio.create_task(self._process.channel.wait_closed())
        await asyncio.wait({finishing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not finishing.done():
            await self._end_command()
        for task in (feeding, finishing, leaving):
            task.cancel()
        await asyncio.gather(feeding, finishing, leaving, return_exceptions=True)

    async def _end_command(self) -> None:
        self._child.signal_group(signal.SIGHUP)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._child.wait(), _GRACE_SECONDS)
        self._child.signal_group(signal.SIGKILL)

    async def _finish(self, passage: Passage) -> None:
        await asyncio.gather(*(self._pass_output_on(stream, kind) for stream, kind in self._outputs))
        status = await self._child.wait()
        if not await passage.end():
            return
        if status >= 0:
            self._process.exit(status)
        else:
            self._process.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
        await self._process.channel.wait_closed()

    async def _pass_output_on(self, stream: IO[bytes], kind: int) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
        writer = self._process.stderr if kind else self._process.stdout
        try:
            # A terminal whose last program has ended reads as an input/output error.
            with contextlib.suppress(OSError, asyncssh.Error):
                while data := await reader.read(_CHUNK):
                    writer.write(data)
                    await writer.drain()
        finally:
            transport.close()

    async def _pass_input_on(self) -> None:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, self._feed)
        writer = asyncio.StreamWriter(transport, protocol, None, loop)
        try:
            with contextlib.suppress(OSError, asyncssh.Error):
                while data := await self._next_input():
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()

    async def _next_input(self) -> bytes:
        while True:
            try:
                return await self._process.stdin.read(_CHUNK)
            except asyncssh.TerminalSizeChanged as change:
                _set_size(self._feed, change.term_size)
            except asyncssh.BreakReceived:
                self._child.signal_group(signal.SIGINT)
            except asyncssh.SignalReceived as received:
                self._child.signal_group(getattr(signal, f"SIG{received.signal}", signal.SIGTERM))


def _with_pipes(process: Process, place: Place, children: Children) -> _Session:
    child = children.start(
        _argv(process, place), stdin=-1, stdout=-1, stderr=-1, cwd=place.home, env=_environment(process, place)
    )
    streams = child.process
    assert streams.stdin
    assert streams.stdout
    assert streams.stderr
    outputs: list[tuple[IO[bytes], int]] = [(streams.stdout, 0), (streams.stderr, 1)]
    return _Session(process, child, feed=streams.stdin, outputs=outputs)


def _on_terminal(process: Process, place: Place, children: Children) -> _Session:
    ours, theirs = os.openpty()
    master = os.fdopen(ours, "rb", buffering=0)
    try:
        _set_size(master, process.term_size)
        child = children.start(
            _argv(process, place),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=place.home,
            env=_environment(process, place) | {"TERM": process.term_type or "dumb"},
            preexec_fn=_take_terminal,
        )
    finally:
        os.close(theirs)
    feed = os.fdopen(os.dup(ours), "wb", buffering=0)
    return _Session(process, child, feed=feed, outputs=[(master, 0)])


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _set_size(terminal: IO[bytes], size: tuple[int, int, int, int]) -> None:
    columns, rows, width, height = size
    with contextlib.suppress(OSError):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, width, height))


def _argv(process: Process, place: Place) -> list[str]:
    shell = place.environment["SHELL"]
    return [shell, "-l"] if process.command is None else [shell, "-c", process.command]


def _environment(process: Process, place: Place) -> dict[str, str]:
    peer, port = process.get_extra_info("peername")[:2]
    own, own_port = process.get_extra_info("sockname")[:2]
    sent = {key: value for key, value in process.env.items() if isinstance(key, str) and isinstance(value, str)}
    return {**place.environment, **sent, "SSH_CONNECTION": f"{peer} {port} {own} {own_port}"}
