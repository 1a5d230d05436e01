"""What is done to servers, one act at a time on each, and what has been done. Knows nothing of what the acts do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

Act = Callable[[], Awaitable[None]]

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The request that is being served, which is what an act is found by later."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One act, by Nova's name for it; `finished` is None while it is under way."""

    name: str
    request_id: str
    started: datetime
    finished: datetime | None = None
    failed: bool = False


class Acts:
    """The acts under way, by server; `failed` is told of one that raised."""

    def __init__(self, failed: Callable[[str, Exception], None]) -> None:
        self._failed = failed
        self._acts: dict[str, asyncio.Task[None]] = {}
        self._records: dict[str, list[Record]] = {}

    def begin(self, server_id: str, name: str, act: Act) -> asyncio.Task[None]:
        """Start an act on a server in place of the one that is under way."""
        before = self._acts.get(server_id)
        records = self._records.setdefault(server_id, [])
        records.append(Record(name=name, request_id=REQUEST_ID.get(), started=datetime.now(UTC)))
        begun = asyncio.create_task(self._perform(server_id, act, before))
        begun.add_done_callback(partial(self._finish, records, len(records) - 1))
        self._acts[server_id] = begun
        return begun

    def records(self, server_id: str) -> list[Record]:
        """Give what has been done to a server and is being done, newest first."""
        return list(reversed(self._records.get(server_id, [])))

    def under_way(self) -> list[asyncio.Task[None]]:
        """Give the acts that have not ended."""
        return [act for act in self._acts.values() if not act.done()]

    async def close(self) -> None:
        """End what is under way."""
        acts = list(self._acts.values())
        for act in acts:
            act.cancel()
        await asyncio.gather(*acts, return_exceptions=True)

    async def _perform(self, server_id: str, act: Act, before: asyncio.Task[None] | None) -> None:
        if before and not before.done():
            before.cancel()
            await asyncio.wait([before])
        try:
            await act()
        except Exception as error:
            # Whatever went wrong, the server must say so instead of hanging.
            self._failed(server_id, error)
            raise

    def _finish(self, records: list[Record], index: int, act: asyncio.Task[None]) -> None:
        failed = act.cancelled() or act.exception() is not None
        records[index] = replace(records[index], finished=datetime.now(UTC), failed=failed)
