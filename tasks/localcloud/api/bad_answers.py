"""Where a request can be struck by a fault of the API as a whole, with or without its effect."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tasks.localcloud.api import outages
from tasks.localcloud.api.answers import Answer
from tasks.localcloud.api.connections import Connections
from tasks.localcloud.api.service_requests import changes_something, is_service_request, name_of
from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Fault, Faults
from tasks.localcloud.options import Face

_WITHOUT_EFFECT = (FaultName.OVER_LIMIT, FaultName.API_503, FaultName.API_500, FaultName.API_TIMEOUT)
_WITH_EFFECT = (FaultName.API_500_BUT_DONE, FaultName.API_TIMEOUT_BUT_DONE)
_UNANSWERED = {FaultName.API_TIMEOUT, FaultName.API_TIMEOUT_BUT_DONE}


class BadAnswers:
    """Lets requests pass, unless a fault strikes; then a request is refused or done, and its answer is a bad one."""

    def __init__(self, app: ASGIApp, faults: Faults, face: Face, connections: Connections) -> None:
        self._app = app
        self._faults = faults
        self._face = face
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        fault = self._strike(scope) if is_service_request(scope) else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.name in _WITH_EFFECT:
            await Answer().from_app(self._app, scope, receive)
        if fault.name in _UNANSWERED:
            await self._connections.stay_silent(scope, receive, fault.seconds)
        else:
            await self._refusal(fault, scope["path"])(scope, receive, send)

    def _strike(self, scope: Scope) -> Fault | None:
        names = (*_WITHOUT_EFFECT, *(_WITH_EFFECT if changes_something(scope) else ()))
        strikes = (self._faults.take(name, about=name_of(scope)) for name in names)
        return next((fault for fault in strikes if fault), None)

    def _refusal(self, fault: Fault, path: str) -> Response:
        match fault.name:
            case FaultName.OVER_LIMIT:
                return outages.over_limit(path, self._face, fault.seconds)
            case FaultName.API_503:
                return outages.unavailable(path, fault.seconds)
            case _:
                return outages.internal_error(path)
