"""The daemon's end of all servers' lines: each question is put to whoever decides, and each answer goes back.

The socket is a file of its owner's in the hypervisor's folder. What is said on a line, `line.py` has in its docstring.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tasks.localcloud.machines.mishaps import Fate, Mishap, Occasion, Question
from tasks.localcloud.sockets import short

log = logging.getLogger(__name__)


class Exchange:
    """Answers servers on the socket `path`, from `open` to `close`."""

    def __init__(self, path: Path, fate: Fate) -> None:
        self._path = path
        self._fate = fate
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Take calls from now on.

        :raises OSError: the folder of the socket does not exist.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with short(self._path) as path:
            listener.bind(path)
        self._path.chmod(0o600)
        # Newer versions of start_unix_server would look for the file under the name that it was bound by.
        self._server = await asyncio.start_server(self._begin, sock=listener)

    async def close(self) -> None:
        """Take no more calls, and end all that are."""
        if self._server:
            self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.create_task(_serve(self._fate, reader, writer))
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)


async def _serve(fate: Fate, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one server for as long as it lives."""
    deciding: dict[int, asyncio.Task[None]] = {}
    try:
        machine_id = json.loads(await reader.readline())["machine"]
        async for text in reader:
            message = json.loads(text)
            if "question" in message:
                _begin_deciding(deciding, message["id"], _decide(fate, machine_id, message, writer))
            elif task := deciding.get(message["id"]):
                task.cancel()
    except (ConnectionError, ValueError):
        log.debug("a server has ended, perhaps in the middle of a question")
    finally:
        for task in list(deciding.values()):
            task.cancel()
        writer.close()


def _begin_deciding(deciding: dict[int, asyncio.Task[None]], number: int, act: Coroutine[Any, Any, None]) -> None:
    def end(_: asyncio.Task[None]) -> None:
        del deciding[number]

    deciding[number] = asyncio.create_task(act)
    deciding[number].add_done_callback(end)


async def _decide(fate: Fate, machine_id: str, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    """Have one question decided; whatever goes wrong with that is no mishap of the server."""
    try:
        mishap = await fate.decide(machine_id, _question(message["question"]))
    except Exception:
        log.exception("what happens to server %s could not be decided", machine_id)
        mishap = Mishap()
    writer.write(json.dumps({"id": message["id"], "mishap": asdict(mishap)}).encode() + b"\n")


def _question(fields: dict[str, Any]) -> Question:
    return Question(**fields | {"occasion": Occasion(fields["occasion"])})
