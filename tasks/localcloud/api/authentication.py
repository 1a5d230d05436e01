"""The token check in front of every service. What a token is worth, `credentials.py` knows."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tasks.localcloud.api.faults import keystone_fault
from tasks.localcloud.identity.credentials import Tokens

Refuse = Callable[[Request], Response]


def refuse_as_keystone_middleware(request: Request) -> Response:
    """Answer 401 as keystonemiddleware does in front of compute and image."""
    answer = keystone_fault(401, "The request you have made requires authentication.")
    answer.headers["WWW-Authenticate"] = f'Keystone uri="{request.url.scheme}://{request.url.netloc}/identity"'
    return answer


def refuse_without_body(_: Request) -> Response:
    """Answer 401 as Cloud Load Balancers do: without a body (CLB docs, faults)."""
    return Response(status_code=401)


class TokenCheck:
    """Lets through only requests that carry a token of ours in X-Auth-Token."""

    def __init__(self, app: ASGIApp, tokens: Tokens, refuse: Refuse = refuse_as_keystone_middleware) -> None:
        self._app = app
        self._tokens = tokens
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 401."""
        request = Request(scope)
        if self._tokens.accept(request.headers.get("X-Auth-Token", "")):
            await self._app(scope, receive, send)
        else:
            await self._refuse(request)(scope, receive, send)
