"""Answers that want more than to be read: of a cloud that lies, or of a proxy that stands in its place."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tasks.cloud import ids
from tasks.cloud.answers import LONGEST_TEXT, Answer, read
from tasks.cloud.compute import NovaCompute
from tasks.cloud.faults import refusal
from tasks.cloud.identity import Access
from tasks.cloud.paging import whole
from tasks.cloud.patient import Pace, PatientSession
from tasks.cloud.profiles import ServerProfile
from tasks.errors import CloudError
from tasks.rollout.labels import Labels, Phase
from tests.cloud.wire import Reply, Wire

ANYTHING = st.text(st.characters(exclude_categories=[]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANYTHING,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["message", "overLimit", "retryAfter", "x"]), inner)
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "Content-Type", "x-compute-request-id"]),
    st.text(st.characters(max_codepoint=255)),
)
LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)
PROFILE = ServerProfile(app="guestbook", environment="live", image="i", flavor="f")
HOSTILE_IDS = [
    "../flavors/7",
    "..",
    "",
    "a/b",
    "a b",
    "a\nb",
    "1?x=y",
    "1#x",
    "%2e%2e",
    "-rf",
    "x" * 300,
    None,
    {"a": 1},
]


def answered(content: bytes, headers: dict[str, str]) -> Answer:
    """Read a refusal with that content."""
    response = requests.Response()
    response.status_code = 413
    response._content = content
    response.headers.update(headers)
    response.request = requests.Request("POST", "http://127.0.0.1/v2.1/servers").prepare()
    return read(response, api="compute")


def server(**changes: Any) -> dict[str, Any]:
    """Write a server of ours as Nova shows it."""
    address = {"addr": "10.1.1.1", "version": 4, "OS-EXT-IPS:type": "fixed"}
    about = {"id": "1", "name": "web", "status": "ACTIVE", "created": datetime(2026, 1, 1, tzinfo=UTC).isoformat()}
    return about | {"metadata": LABELS.to_metadata(), "addresses": {"private": [address]}} | changes


@given(st.binary() | JSON.map(lambda body: requests.compat.json.dumps(body).encode()), HEADERS)
def test_any_refusal_can_be_read_and_told(content: bytes, headers: dict[str, str]) -> None:
    """Whatever a refusal says, it becomes an error of ours in one bounded line in which nothing is hidden."""
    answer = answered(content, headers)
    told = refusal(answer).problem

    assert told.isprintable()
    assert len(told) < 20 * LONGEST_TEXT
    assert 1 <= answer.retry_after <= 86_400


@pytest.mark.parametrize(
    "content", [b'{"x":' * 50_000, b"<" * 5_000_000, b"[" * 5_000_000, b'{"message": "' + b"x" * 5_000_000]
)
def test_refusals_made_to_be_expensive(content: bytes) -> None:
    """A refusal of megabytes, or nested without end, costs no more than a small one."""
    assert len(answered(content, {}).text) < 2 * LONGEST_TEXT


@pytest.mark.parametrize("said", ["²", "٣", "1e9", "-5", "9" * 19, "9" * 5000])
def test_a_wait_that_is_no_number(said: str) -> None:
    """What is no plain number of seconds is not taken for one; no wait is longer than a day."""
    assert 1 <= answered(b"", {"Retry-After": said}).retry_after <= 86_400


@pytest.mark.parametrize("told", HOSTILE_IDS)
def test_what_is_no_id(access: Access, pace: Pace, wire: Wire, told: object) -> None:
    """A server whose id could name something else in a path or a file is not taken in."""
    wire.on("GET", "/servers/detail", Reply(body={"servers": [server(id=told)]}))

    with pytest.raises(CloudError, match=r"cannot be understood \(ValueError: .* is no id\)"):
        NovaCompute(access, PROFILE, pace).servers()


@pytest.mark.parametrize("said", [7, "7", "3a8e0b9c-1f7d-4d5a-9d3c-0a7c3a1f2b4e", "server-1", "a_b.c:d"])
def test_what_is_an_id(said: object) -> None:
    """Numbers, UUIDs and names are ids."""
    assert ids.read(said) == str(said)


@pytest.mark.parametrize("address", ["10.0.0.1 ssh-rsa AAAA\n*", "evil.example", "-oProxyCommand=x", "10.0.0.1/24", ""])
def test_what_is_no_address(access: Access, pace: Pace, wire: Wire, address: str) -> None:
    """A private IP that is none gets into no command line and no file of host keys."""
    entry = {"addr": address, "version": 4, "OS-EXT-IPS:type": "fixed"}
    wire.on("GET", "/servers/detail", Reply(body={"servers": [server(addresses={"private": [entry]})]}))

    with pytest.raises(CloudError, match="cannot be understood"):
        NovaCompute(access, PROFILE, pace).servers()


def test_a_fault_is_one_visible_line(access: Access, pace: Pace, wire: Wire) -> None:
    """What a cloud says of a build that failed is shown, bounded, and cannot move the cursor."""
    fault = {"message": "No valid host\n\x1b[2J" + "x" * 5000}
    wire.on("GET", "/servers/detail", Reply(body={"servers": [server(status="ERROR", fault=fault)]}))

    (found,) = NovaCompute(access, PROFILE, pace).servers()

    assert found.fault.startswith(r"No valid host \x1b[2Jxxx")
    assert found.fault.endswith("more characters)")
    assert len(found.fault) < 500


def test_of_an_endless_console_the_end_is_kept(access: Access, pace: Pace, wire: Wire) -> None:
    """A console log of megabytes is kept to its last million characters."""
    wire.on("POST", "/servers/1/action", Reply(body={"output": "x" * 3_000_000 + "login:"}))

    console = NovaCompute(access, PROFILE, pace).console("1")

    assert len(console) == 1_000_000
    assert console.endswith("xlogin:")


@pytest.mark.parametrize(
    "path", ["/servers/../flavors/7", "/servers/%2e%2e/flavors", "/servers/a\\..\\b", "/x/\r\nHost: y", "/x/./y"]
)
def test_no_path_leads_elsewhere(access: Access, pace: Pace, path: str) -> None:
    """A request whose path would be followed to another place is not sent, whichever client made it."""
    session = PatientSession(access.session, api="compute", pace=pace)

    with pytest.raises(CloudError, match="leads elsewhere"):
        session.request(f"http://127.0.0.1:1{path}", "DELETE")


def test_a_list_without_end() -> None:
    """A list that brings new entries page after page is given up."""
    pages = count()

    with pytest.raises(CloudError, match="the list of servers has no end"):
        whole(lambda _: {"servers": [{"id": next(pages)}]}, key="servers", more=lambda _: True)
