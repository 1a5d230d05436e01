"""What is being done to servers: one act at a time on each. Knows nothing of what the acts do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

Act = Callable[[], Awaitable[None]]


class Acts:
    """The acts under way, by server; `failed` is told of one that raised."""

    def __init__(self, failed: Callable[[str, Exception], None]) -> None:
        self._failed = failed
        self._acts: dict[str, asyncio.Task[None]] = {}

    def begin(self, server_id: str, act: Act) -> asyncio.Task[None]:
        """Start an act on a server in place of the one that is under way."""
        before = self._acts.get(server_id)
        begun = asyncio.create_task(self._perform(server_id, act, before))
        self._acts[server_id] = begun
        return begun

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
        except Exception as error:  # noqa: BLE001  whatever went wrong, the server must say so instead of hanging
            self._failed(server_id, error)
