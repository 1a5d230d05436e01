"""Where requests are counted and one of them can be held. Which one, `holds.py` knows."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from tasks.localcloud.api.answers import Answer
from tasks.localcloud.api.connections import Connections
from tasks.localcloud.api.service_requests import is_service_request, name_of
from tasks.localcloud.faults.holds import Holds, Released


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
