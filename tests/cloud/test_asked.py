"""Requests are on record, without what opens doors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.cloud.asked import Asked, path_of
from tasks.cloud.identity import Access
from tasks.cloud.patient import Pace, PatientSession
from tasks.errors import CloudError, CloudUnreachable, Uncertain
from tests.cloud.wire import Reply, Wire


@pytest.fixture
def asked() -> list[Asked]:
    """Collect the requests."""
    return []


@pytest.fixture
def session(access: Access, pace: Pace, asked: list[Asked]) -> PatientSession:
    """Make a session that tells of its requests."""
    return PatientSession(access.session, api="compute", pace=replace(pace, on_request=asked.append))


@pytest.fixture
def there(access: Access) -> str:
    """Give where the scripted cloud's compute API is."""
    return str(access.session.auth.auth_url).partition("/identity")[0] + "/compute"


def test_a_request_is_told_when_it_is_over(session: PatientSession, wire: Wire, there: str, asked: list[Asked]) -> None:
    """Which API, what was asked of it and what it answered; the query is nobody's business."""
    wire.on("GET", "/compute/x", Reply(body={}))
    session.request(f"{there}/x?marker=y", "GET")

    assert asked == [Asked(api="compute", method="GET", path="/compute/x", status=200, seconds=0)]


def test_each_try_is_a_request(session: PatientSession, wire: Wire, there: str, asked: list[Asked]) -> None:
    """A refusal because of too many requests, and the answer after it, are two."""
    wire.on("GET", "/compute/x", Reply(status=429, body={}, headers={"Retry-After": "7"}), Reply(body={}))
    session.request(f"{there}/x", "GET")

    assert [one.status for one in asked] == [429, 200]


def test_a_refusal_is_a_request(session: PatientSession, wire: Wire, there: str, asked: list[Asked]) -> None:
    """What the API said no to is on record with its status."""
    wire.on("POST", "/compute/x", Reply(status=403, body={}))
    with pytest.raises(CloudError):
        session.request(f"{there}/x", "POST", json={})

    assert [(one.method, one.status) for one in asked] == [("POST", 403)]


def test_a_request_without_an_answer_has_the_status_0(session: PatientSession, asked: list[Asked]) -> None:
    """Nobody listens at the port, and that is on record too."""
    with pytest.raises((CloudUnreachable, Uncertain)):
        session.request("http://127.0.0.1:1/compute/x", "POST", json={})

    assert [(one.path, one.status) for one in asked] == [("/compute/x", 0)]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://user:word@cloud.example/v2.1/servers/42?name=x#y", "/v2.1/servers/42"),
        ("https://cloud.example/v2.0/tokens/abc/endpoints", "/v2.0/tokens/…/endpoints"),
        ("https://cloud.example/v3/users/7/application_credentials/abc", "/v3/users/7/application_credentials/…"),
        ("/servers/detail", "/servers/detail"),
        ("https://[broken/x", "?"),
        ("https://cloud.example/a\x1b[2Jb", "/a\\x1b[2Jb"),
    ],
)
def test_a_path_on_record_opens_no_door(url: str, path: str) -> None:
    """Users, queries, tokens and escape sequences are left out or spelled out; the rest can be read."""
    assert path_of(url) == path
