"""One line for every API request: time, method, path, status, milliseconds, request id. Never headers or bodies.

A request that got no answer has status 000.
"""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime
from typing import TextIO

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.localcloud.compute.acts import REQUEST_ID

_TOKEN_IN_PATH = re.compile(r"(/tokens/+)[^/?]+")
_LIKE_A_TOKEN = re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])")
"""32 random bytes as `secrets` writes them for a URL: what somebody has put where it does not belong."""


class RequestLog:
    """Gives every request an id, answers with it, and writes one line about it when it is over."""

    def __init__(self, app: ASGIApp, log: TextIO) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req-{uuid.uuid4()}"
        REQUEST_ID.set(request_id)
        status = 0
        began = time.monotonic()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _name_request(MutableHeaders(scope=message), scope["path"], request_id)
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            status = status or 500
            raise
        finally:
            milliseconds = (time.monotonic() - began) * 1000
            self._write(scope, f"{status:03d} {milliseconds:.1f}ms {request_id}")

    def _write(self, scope: Scope, outcome: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        print(now, scope["method"], _loggable(scope), outcome, file=self._log, flush=True)


def _name_request(headers: MutableHeaders, path: str, request_id: str) -> None:
    headers["X-Openstack-Request-Id"] = request_id
    if path.startswith("/compute"):
        headers["X-Compute-Request-Id"] = request_id


def _loggable(scope: Scope) -> str:
    """Give path and query on one line, without the token that some identity paths carry, or anything like one."""
    path = _TOKEN_IN_PATH.sub(r"\1***", scope["path"]).encode("unicode_escape").decode()
    query = scope["query_string"].decode("ascii", "backslashreplace")
    return _LIKE_A_TOKEN.sub("***", f"{path}?{query}" if query else path)
