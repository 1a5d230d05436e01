"""Backends that are taken for OFFLINE although they answer: which, and for how long. Knows no Envoy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tasks.localcloud.proxy.frontends import Backend, Condition, Endpoint, Frontend, Health


class TakenForOffline:
    """Such backends, by frontend; `changed` is awaited with the frontend's name when one begins or ends to be one."""

    def __init__(self, changed: Callable[[str], Awaitable[None]]) -> None:
        self._changed = changed
        self._backends: set[tuple[str, Endpoint]] = set()
        self._ending: set[asyncio.Task[None]] = set()

    async def begin(self, frontend: str, backend: Endpoint, seconds: float) -> None:
        """Take a backend for OFFLINE from now on, for so long."""
        self._backends.add((frontend, backend))
        task = asyncio.create_task(self._end(frontend, backend, seconds))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        await self._changed(frontend)

    def over(self, frontend: str, healths: dict[Endpoint, Health]) -> dict[Endpoint, Health]:
        """Give what is to be seen, where these healths are what is."""
        return {each: Health.OFFLINE if (frontend, each) in self._backends else seen for each, seen in healths.items()}

    def without(self, frontend: Frontend) -> Frontend:
        """Give a frontend that sends nothing to them."""
        return replace(frontend, backends=tuple(self._shunned(frontend.name, each) for each in frontend.backends))

    async def close(self) -> None:
        """Wait for none of them any more."""
        for task in self._ending:
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _end(self, frontend: str, backend: Endpoint, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._backends.discard((frontend, backend))
        await self._changed(frontend)

    def _shunned(self, frontend: str, backend: Backend) -> Backend:
        if (frontend, backend.endpoint) not in self._backends:
            return backend
        return replace(backend, condition=Condition.DISABLED)
