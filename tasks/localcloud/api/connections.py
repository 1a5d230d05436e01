"""The connections of clients, so that one can be closed without an answer, which HTTP servers do not offer."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol


class Connections:
    """The connections that are open, by their client's address and port."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """Give the HTTP protocol for uvicorn that keeps this register."""
        register = self._open

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

    async def hang_up(self, scope: Scope, receive: Receive) -> None:
        """Close the connection that a request came on; whoever sent it gets no answer.

        :raises ConnectionAbortedError: it came on none, since the application was called in memory.
        """
        connection = self._open.get(_client(scope))
        if connection is None:
            raise ConnectionAbortedError(f"{scope['method']} {scope['path']} gets no answer")
        connection.abort()
        message: Any = {}
        while message.get("type") != "http.disconnect":
            message = await receive()


def _client(scope: Scope) -> tuple[str, int]:
    host, port = scope.get("client") or ("", 0)
    return host, port
