"""Answers without end, from a real server."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from keystoneauth1.session import Session

from tasks.cloud.bounded import BoundedAdapter, Bounds
from tasks.cloud.identity import Access
from tasks.cloud.patient import Pace, PatientSession
from tasks.errors import CloudUnreachable, Uncertain
from tests.cloud.virtual_clock import VirtualClock

SMALL = Bounds(most=100_000, longest=30.0)
Write = Callable[[bytes], object]


@contextmanager
def serving(answer: Callable[[Write], None], **headers: str) -> Iterator[str]:
    """Serve that answer to everything; gives the address."""

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            with suppress(ConnectionError):
                answer(self.wfile.write)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def without_end(write: Write) -> None:
    """Write until nobody reads any more."""
    while True:
        write(b" " * 10_000)


def session(clock: VirtualClock, bounds: Bounds = SMALL) -> requests.Session:
    """Make a session with these bounds."""
    made = requests.Session()
    made.trust_env = False
    made.mount("http://", BoundedAdapter(bounds=bounds, clock=clock))
    return made


def test_an_ordinary_answer_is_read_whole(clock: VirtualClock) -> None:
    """What is within the bounds arrives as it was sent, also packed."""
    body = b'{"servers": []}' * 1000
    with serving(lambda write: write(body)) as plain:
        assert session(clock).get(plain, timeout=10).content == body
    with serving(lambda write: write(gzip.compress(body)), Content_Encoding="gzip") as packed:
        assert session(clock).get(packed, timeout=10).content == body


def test_an_answer_that_is_too_long(clock: VirtualClock) -> None:
    """An answer without end is given up, and its connection closed: the server's writing ends."""
    with serving(without_end) as url, pytest.raises(requests.ConnectionError, match="its answer has no end"):
        session(clock).get(url, timeout=10)


def test_a_small_answer_that_unpacks_to_a_large_one(clock: VirtualClock) -> None:
    """What counts is the size once unpacked."""
    bomb = gzip.compress(b" " * 50_000_000)
    with serving(lambda write: write(bomb), Content_Encoding="gzip") as url, pytest.raises(requests.ConnectionError):
        session(clock).get(url, timeout=10)


def test_an_answer_that_takes_too_long(clock: VirtualClock) -> None:
    """An answer that comes in drops, each before the time-out, is given up all the same."""

    def drip(write: Write) -> None:
        while True:
            clock.pause(10)
            write(b" " * 20_000)

    with serving(drip) as url, pytest.raises(requests.ConnectionError, match="its answer has no end"):
        session(clock, replace(SMALL, most=10**9)).get(url, timeout=10)


@pytest.mark.parametrize(("method", "error"), [("GET", CloudUnreachable), ("POST", Uncertain)])
def test_it_is_an_error_of_ours(access: Access, clock: VirtualClock, pace: Pace, method: str, error: type) -> None:
    """A read whose answer has no end is as good as unanswered; a change may have been made."""
    bounded = Session(auth=access.session.auth, session=session(clock))

    with serving(without_end) as url, pytest.raises(error, match=f"no answer of the compute API to {method}: .*no end"):
        PatientSession(bounded, api="compute", pace=pace).request(url, method)


def test_every_session_has_bounds(access: Access) -> None:
    """The session of an opened cloud has them for both schemes."""
    adapters = [access.session.session.get_adapter(f"{scheme}://x") for scheme in ("http", "https")]

    assert [type(adapter) for adapter in adapters] == [BoundedAdapter, BoundedAdapter]
