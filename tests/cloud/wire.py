"""A cloud at the wire: a real HTTP server on loopback that answers what a test tells it and remembers the questions."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REGION = "ORD"
PROJECT = "123456"
API_KEY = "s3cret-api-key"
SERVICES = {
    "compute": ("cloudServersOpenStack", f"/compute/v2.1/{PROJECT}"),
    "rax:load-balancer": ("cloudLoadBalancers", f"/clb/v1.0/{PROJECT}"),
    "load-balancer": ("octavia", "/octavia"),
    "network": ("cloudNetworks", "/network/v2.0"),
}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer.

    :param headers: beside Content-Length and Date; an empty one leaves out that which there would be.
    :param lost: close the connection instead of answering, after the request was read.
    :param together: answer when as many requests as the barrier wants have come, or half a second has passed.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    together: threading.Barrier | None = None

    def content(self) -> bytes:
        """Give the bytes: text stays as it is, everything else is JSON."""
        if self.body is None:
            return b""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that was received."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


class Wire:
    """The server. Every reply of a script is given once, the last one for ever.

    `requests` are those received so far; `most_under_way` tells how many at most have waited for an answer together.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.most_under_way = 0
        self._under_way = 0
        self._scripts: list[tuple[str, str, list[Reply]]] = []
        self._lock = threading.Lock()
        wire = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def serve(self) -> None:
                with wire.under_way():
                    reply = wire.reply_to(self._read())
                    if reply.together:
                        with suppress(threading.BrokenBarrierError):
                            reply.together.wait(timeout=0.5)
                self._answer(reply)

            do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815  http.server's names

            def _read(self) -> Request:
                url = urlsplit(self.path)
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                return Request(
                    method=self.command,
                    path=url.path,
                    query=parse_qs(url.query),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=json.loads(sent) if sent else None,
                )

            def _answer(self, reply: Reply) -> None:
                if reply.lost:
                    self.close_connection = True
                    return
                content = reply.content()
                self.send_response_only(reply.status)
                always = {"Content-Length": str(len(content)), "Date": self.date_time_string()}
                for name, value in {**always, **reply.headers}.items():
                    if value:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                """Stay silent: pytest's output is for people."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.on("POST", "/identity/v2.0/tokens$", Reply(body=token(self.url)))

    def on(self, method: str, path: str, *replies: Reply) -> None:
        """Answer requests whose path matches the expression; what is said last counts first."""
        with self._lock:
            self._scripts.insert(0, (method, path, list(replies)))

    def reply_to(self, request: Request) -> Reply:
        """Choose the reply and remember the request."""
        with self._lock:
            self.requests.append(request)
            for method, path, replies in self._scripts:
                if method == request.method and re.search(path, request.path):
                    return replies.pop(0) if len(replies) > 1 else replies[0]
        return Reply(status=404, body={"itemNotFound": {"code": 404, "message": "not in the script"}})

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Count a request for as long as it waits for its answer."""
        with self._lock:
            self._under_way += 1
            self.most_under_way = max(self.most_under_way, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def received(self, method: str, path: str = "") -> list[Request]:
        """Give the requests with that method whose path matches the expression, in order."""
        return [seen for seen in self.requests if seen.method == method and re.search(path, seen.path)]

    @contextmanager
    def serving(self) -> Iterator[Wire]:
        """Serve while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


def token(url: str, *, regions: tuple[str, ...] = (REGION,)) -> dict[str, Any]:
    """Build what identity v2.0 answers to a login, with a catalog that points to `url`."""

    def endpoints(path: str) -> list[dict[str, str]]:
        return [{"region": region, "tenantId": PROJECT, "publicURL": f"{url}{path}"} for region in regions]

    tenant = {"id": PROJECT, "name": PROJECT}
    services = [{"type": kind, "name": name, "endpoints": endpoints(path)} for kind, (name, path) in SERVICES.items()]
    return {
        "access": {
            "token": {"id": "a-token", "expires": "2999-01-01T00:00:00.000Z", "tenant": tenant},
            "serviceCatalog": services,
            "user": {"id": "1", "name": "ann", "roles": []},
        }
    }
