"""One life of a server, as the daemon follows it."""

from __future__ import annotations

import asyncio
from typing import Any


class Life:
    """From a server's fork to the end of its init; `still` is done while its processes are stopped for a snapshot."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.up: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[int] = loop.create_future()
        self.still: asyncio.Future[None] = loop.create_future()
        self.reason = ""
        self.end_is_wanted = False

    def note(self, event: dict[str, Any]) -> None:
        """Take note of what the fork server says about it."""
        match event["event"]:
            case "up":
                self.up.set_result(None)
            case "frozen":
                self.still.set_result(None)
            case "failed":
                self.reason = event["reason"]
            case "exited":
                self.gone.set_result(event["status"])

    async def wait_for(self, event: asyncio.Future[None], seconds: float) -> None:
        """Return when an event of this life has come, or its end, or when the time is up."""
        either: set[asyncio.Future[Any]] = {event, self.gone}
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
