"""A server's line to the daemon, on which it asks what happens to it.

It is a Unix socket that is connected before the server leaves the host's namespaces; its programs do not inherit it.
Lines of JSON: first `{"machine": id}`; `{"id": n, "question": {...}}` is answered by `{"id": n, "mishap": {...}}`, and
taken back by `{"id": n}`. Refuses to know what the answers mean.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from dataclasses import asdict
from typing import Any

from tasks.localcloud.machines.mishaps import Kind, Mishap, Question
from tasks.localcloud.machines.spec import Boot
from tasks.localcloud.sockets import short


def connect(boot: Boot) -> socket.socket:
    """Open a line from where the host's files can be seen.

    :raises OSError: the daemon has ended.
    """
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short(boot.exchange) as path:
        line.connect(path)
    line.sendall(json.dumps({"machine": boot.spec.id}).encode() + b"\n")
    return line


class Line:
    """An open line. Should it break, nothing happens to the server any more but what it does itself."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Mishap]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Hear the answers from now on; belongs to the running event loop."""
        reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
        self._reading = asyncio.create_task(self._read(reader))

    async def ask(self, question: Question) -> Mishap:
        """Wait for an answer. Cancelled, it takes the question back."""
        if self._reading is None or self._reading.done():
            return Mishap()
        number = next(self._numbers)
        answer: asyncio.Future[Mishap] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._send({"id": number, "question": asdict(question)})
        try:
            return await answer
        except asyncio.CancelledError:
            self._send({"id": number})
            raise
        finally:
            del self._waiting[number]

    async def _read(self, reader: asyncio.StreamReader) -> None:
        async for text in reader:
            message = json.loads(text)
            answer = self._waiting.get(message["id"])
            if answer and not answer.done():
                answer.set_result(_mishap(message["mishap"]))
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(Mishap())

    def _send(self, message: dict[str, Any]) -> None:
        assert self._writer
        self._writer.write(json.dumps(message).encode() + b"\n")


def _mishap(fields: dict[str, Any]) -> Mishap:
    return Mishap(**fields | {"kind": Kind(fields["kind"])})
