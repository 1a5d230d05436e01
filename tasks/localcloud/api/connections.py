"""The connections of clients, so that one can be closed without an answer, which HTTP servers do not offer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol


class Connections:
    """The connections that are open, by their client's address and port."""

    def __init__(self) -> None:
        self._open: dict[tuple[str | int, ...], asyncio.Transport] = {}
        self._served = False

    def protocol(self) -> type[asyncio.Protocol]:
        """Give the HTTP protocol for uvicorn that keeps this register."""
        register = self._open
        self._served = True

        class RegisteredProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                """Register a connection."""
                super().connection_made(transport)
                if self.client:
                    register[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                """Forget it."""
                if self.client:
                    register.pop(self.client, None)
                super().connection_lost(exc)

        return RegisteredProtocol

    async def stay_silent(self, scope: Scope, receive: Receive, seconds: float) -> None:
        """Give a request no answer, and close its connection after so many seconds, unless the client does so before.

        :raises ConnectionAbortedError: it came on none, since the application was called in memory.
        """
        self._expect_server(scope)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await _client_left(receive)
        await self.hang_up(scope, receive)

    async def hang_up(self, scope: Scope, receive: Receive) -> None:
        """Close the connection that a request came on; whoever sent it gets no answer.

        :raises ConnectionAbortedError: it came on none, since the application was called in memory.
        """
        self._expect_server(scope)
        connection = self._open.get(tuple(scope["client"] or ()))
        if connection:
            connection.abort()
        # The HTTP server would answer 500 if the request ended before it knows that nobody waits.
        await _client_left(receive)

    def _expect_server(self, scope: Scope) -> None:
        if not self._served:
            raise ConnectionAbortedError(f"{scope['method']} {scope['path']} gets no answer")


async def _client_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
