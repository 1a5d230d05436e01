from __future__ import annotations

import socket
import threading
import traceback
from dataclasses import replace
from typing import Any

import pytest
from requests import Response

from tasks.cloud.identity import Access
from tasks.cloud.patient import Pace, PatientSession
from tasks.errors import CloudError, CloudUnreachable, Interrupted, OverLimit, Unauthorized, Uncertain
from tests.cloud.conftest import PASSWORD
from tests.cloud.virtual_clock import VirtualClock
from tests.cloud.wire import Reply, Wire

SLOW_DOWN = {"overLimit": {"code": 413, "message": "OverLimit Retry...", "retryAfter": "2"}}


def ask(access: Access, pace: Pace, method: str = "GET", url: str = "/compute/x", **options: Any) -> Response:
    """Send one request to the scripted cloud, as the test's access and pace have it."""
    session = PatientSession(access.session, api="compute", pace=pace)
    base = str(access.session.auth.auth_url).partition("/identity")[0]
    return session.request(f"{base}{url}", method, **options)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_rate_limit_is_obeyed(access: Access, wire: Wire, pace: Pace, clock: VirtualClock, method: str) -> None:
    """A refusal because of too many requests is waited out for as long as it says, then the request is sent again."""
    wire.on(method, "/compute/x", Reply(status=413, body=SLOW_DOWN, headers={"Retry-After": "7"}), Reply(body={}))

    assert ask(access, pace, method).status_code == 200
    assert clock.pauses == [7]


def test_the_operator_hears_of_a_wait(access: Access, wire: Wire, pace: Pace, said: list[str]) -> None:
    """A wait for a rate limit is told with its reason and its length."""
    wire.on("GET", "/compute/x", Reply(status=413, body=SLOW_DOWN), Reply(body={}))

    ask(access, pace)

    assert said == ["the compute API answered 413 to GET: OverLimit Retry...; asking again in 2 s"]


def test_trap_34_a_wait_beyond_the_limit_is_not_begun(
    access: Access, wire: Wire, pace: Pace, clock: VirtualClock
) -> None:
    """A per-day limit that asks for hours is an error at once that says how long it wants."""
    wire.on("GET", "/compute/x", Reply(status=429, body={}, headers={"Retry-After": "7200"}))

    with pytest.raises(OverLimit, match=r"(?s)7200 s of patience, more than the 60 s"):
        ask(access, pace)

    assert clock.pauses == []


def test_many_short_waits_together_have_the_same_limit(
    access: Access, wire: Wire, pace: Pace, clock: VirtualClock
) -> None:
    """A limit that is never lifted ends in an error after 60 s in all."""
    wire.on("POST", "/compute/x", Reply(status=413, body=SLOW_DOWN, headers={"Retry-After": "25"}))

    with pytest.raises(OverLimit):
        ask(access, pace, "POST")

    assert clock.pauses == [25, 25]


@pytest.mark.parametrize("reply", [Reply(lost=True), Reply(status=502, body="<h1>Bad Gateway</h1>"), Reply(status=503)])
def test_a_read_is_asked_again(access: Access, wire: Wire, pace: Pace, said: list[str], reply: Reply) -> None:
    """A question whose answer was lost, or that a proxy could not pass on, is asked again."""
    wire.on("GET", "/compute/x", reply, reply, Reply(body={}))

    assert ask(access, pace).status_code == 200
    assert len(said) == 2


def test_a_read_is_given_up_at_last(access: Access, wire: Wire, pace: Pace, clock: VirtualClock) -> None:
    """After the last pause an unanswered question is an error."""
    wire.on("GET", "/compute/x", Reply(status=503))

    with pytest.raises(CloudUnreachable):
        ask(access, pace)

    assert tuple(clock.pauses) == pace.read_again_after


@pytest.mark.parametrize(
    "reply", [Reply(lost=True), Reply(status=500), Reply(status=503, headers={"Retry-After": "1"})]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_change_whose_answer_was_lost_is_sent_once(
    access: Access, wire: Wire, pace: Pace, method: str, reply: Reply
) -> None:
    """A change that may have been carried out is not sent again by itself (trap 16)."""
    wire.on(method, "/compute/x", reply)

    with pytest.raises(Uncertain):
        ask(access, pace, method)

    assert len(wire.received(method, "/compute/x")) == 1


def test_a_change_that_takes_too_long_is_uncertain(access: Access, pace: Pace) -> None:
    """A change that is not answered in time may have been carried out; the error says that it took too long."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        session = PatientSession(access.session, api="compute", pace=pace)
        session.timeout = 0.05

        with pytest.raises(Uncertain, match="no answer of the compute API to POST: it took too long"):
            session.request(f"http://127.0.0.1:{silent.getsockname()[1]}/x", "POST")


def test_a_change_that_never_left_is_not_uncertain(access: Access, pace: Pace, clock: VirtualClock) -> None:
    """Where no connection could be made, nothing was carried out, and the error gives the reason."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        session = PatientSession(access.session, api="compute", pace=pace)

        with pytest.raises(CloudUnreachable, match="Connection refused"):
            session.request(f"http://127.0.0.1:{taken.getsockname()[1]}/x", "POST")

    assert clock.pauses == []


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        (Reply(body="<html>Welcome</html>", headers={"Content-Type": "text/html"}), "text/html"),
        (Reply(), "nothing"),
    ],
)
def test_an_answer_that_is_no_json_is_said(access: Access, wire: Wire, pace: Pace, reply: Reply, seen: str) -> None:
    """A login page of some proxy, or nothing, in place of an answer to a question is an error, not a crash."""
    wire.on("GET", "/compute/x", reply)

    with pytest.raises(CloudError, match=f"{seen} instead of JSON"):
        ask(access, pace)


def test_a_refused_token_is_an_error_without_secrets(access: Access, wire: Wire, pace: Pace) -> None:
    """Credentials that are revoked in the middle of a deploy give one clear error; the password is nowhere in it."""
    wire.on("GET", "/compute/x", Reply(status=401))
    wire.on("POST", "tokens", Reply(status=401, body={"unauthorized": {"message": "revoked", "code": 401}}))

    with pytest.raises(Unauthorized, match="identity refused the credentials") as caught:
        ask(access, pace)

    text = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in text
    assert "a-token" not in text


def test_a_stopped_clock_ends_a_wait(access: Access, wire: Wire, clock: VirtualClock) -> None:
    """Ctrl-C ends the wait for a rate limit."""
    pace = Pace(clock=clock, on_wait=lambda _text: clock.stop())
    wire.on("GET", "/compute/x", Reply(status=413, body=SLOW_DOWN, headers={"Retry-After": "50"}))

    with pytest.raises(Interrupted):
        ask(access, pace)


def ask_from_threads(session: PatientSession, url: str, threads: int) -> None:
    """Send a request from each of many threads at once."""
    asking = [threading.Thread(target=session.request, args=(url, "GET")) for _ in range(threads)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()


def test_few_requests_are_under_way_at_the_same_time(access: Access, wire: Wire, pace: Pace) -> None:
    """At most `concurrency` requests are under way, however many threads ask."""
    wire.on("GET", "/compute/x", Reply(body={}, together=threading.Barrier(3)))
    session = PatientSession(access.session, api="compute", pace=replace(pace, concurrency=2))

    ask_from_threads(session, f"{wire.url}/compute/x", threads=8)

    assert wire.most_under_way == 2
    assert len(wire.received("GET", "/compute/x")) == 8


def test_many_connections_are_kept_without_a_warning(
    access: Access, wire: Wire, pace: Pace, caplog: pytest.LogCaptureFixture
) -> None:
    """More connections than the ten of an ordinary pool are kept, so that nothing is printed about a full one."""
    wire.on("GET", "/compute/x", Reply(body={}, together=threading.Barrier(16)))
    session = PatientSession(access.session, api="compute", pace=replace(pace, concurrency=16))

    ask_from_threads(session, f"{wire.url}/compute/x", threads=16)

    assert [record.message for record in caplog.records if record.name.startswith("urllib3")] == []


def test_requests_say_who_asks(access: Access, wire: Wire, pace: Pace) -> None:
    """The user agent is ours, so that the cloud's support can find our requests."""
    wire.on("GET", "/compute/x", Reply(body={}))

    ask(access, pace)

    assert wire.received("GET", "/compute/x")[0].headers["user-agent"] == "disposable-servers"
