"""Where requests are counted and one of them can be held. Which one, `holds.py` knows."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.localcloud.api.connections import Connections
from tasks.localcloud.faults.holds import Holds, Released

_SERVICES = re.compile(
    r"/compute/v2\.1/.+|/image/v2/.+|/network/v2\.0/.+|/load-balancer/v2(\.0)?/lbaas/.+|/clb/v1\.0/[^/]+/.+"
)
"""Requests that do the work of a service. Logging in and finding out about versions comes and goes with clients'
habits, and the control API is none of theirs."""


def is_service_request(scope: Scope) -> bool:
    """Whether a request is for compute, images, the network, CLB or Octavia, and not about their versions."""
    return scope["type"] == "http" and _SERVICES.fullmatch(scope["path"]) is not None


def name_of(scope: Scope) -> str:
    """Name a request: method and path."""
    return f"{scope['method']} {scope['path']}"


class HoldPoints:
    """Counts every service request, and holds the one that is armed."""

    def __init__(self, app: ASGIApp, holds: Holds, connections: Connections) -> None:
        self._app = app
        self._holds = holds
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not is_service_request(scope):
            await self._app(scope, receive, send)
            return
        answer = Answer()
        try:
            passage = await self._holds.reached("api", name_of(scope))
            await answer.from_app(self._app, scope, receive)
            await passage.done()
        except Released:
            await self._connections.hang_up(scope, receive)
        else:
            await answer.give(send)


class Answer:
    """What an application has answered, kept until it is known whether the client gets it."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._error: Exception | None = None

    async def from_app(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Let the application do its work."""
        try:
            await app(scope, receive, self._keep)
        except Exception as error:  # noqa: BLE001  a bug of the application: `give` raises it
            self._error = error

    async def give(self, send: Send) -> None:
        """Send the answer to the client.

        :raises Exception: what the application raised, after its answer.
        """
        for message in self._messages:
            await send(message)
        if self._error:
            raise self._error

    async def _keep(self, message: Message) -> None:
        self._messages.append(message)
