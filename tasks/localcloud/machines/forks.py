"""The fork server as the daemon has it: started, given orders, listened to, ended.

Owns that process and its pipes. Refuses to know what the orders are for and what the events say.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.localcloud.machines.spec import BootFailed

_START_SECONDS = 30.0
_CLOSE_SECONDS = 15.0
_PACKAGES = Path(__file__).parents[3]


class Forks:
    """The fork server. `on_event` is told what it says, `on_end` that it has ended, whoever ended it."""

    def __init__(self, *, on_event: Callable[[dict[str, Any]], None], on_end: Callable[[], None]) -> None:
        self._on_event = on_event
        self._on_end = on_end
        self._ready: asyncio.Future[None]
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Its process id.

        :raises ProcessLookupError: it was never started.
        """
        if self._process is None:
            raise ProcessLookupError("the fork server was never started")
        return self._process.pid

    async def start(self) -> None:
        """Return when it takes orders.

        :raises BootFailed: it ended instead.
        :raises TimeoutError: it does not answer within 30 seconds.
        """
        self._ready = asyncio.get_running_loop().create_future()
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
        async with asyncio.timeout(_START_SECONDS):
            await self._ready

    def order(self, **order: Any) -> None:
        """Have it do something.

        :raises BootFailed: it has ended.
        """
        if self._process is None or self._process.returncode is not None or self._process.stdin is None:
            raise BootFailed("the fork server has ended: start the local cloud again")
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def close(self) -> None:
        """End it and every server with it. Harmless when it never ran."""
        if self._process is None or self._process.stdin is None or self._listening is None:
            return
        self._process.stdin.close()
        await asyncio.wait({self._listening}, timeout=_CLOSE_SECONDS)
        if not self._listening.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._listening

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "ready":
                self._ready.set_result(None)
            else:
                self._on_event(event)
        status = await process.wait()
        if not self._ready.done():
            self._ready.set_exception(BootFailed(f"the fork server of the local cloud ended with status {status}"))
        self._on_end()


def _import_path() -> str:
    """Give the fork server this package, from wherever the daemon has it, and all else that the daemon was given."""
    return os.pathsep.join([str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
