from __future__ import annotations

import re
from typing import Any

import pytest
from keystoneauth1 import exceptions as keystone

from tasks.cloud.answers import Answer
from tasks.cloud.faults import Busy, NoSuchNodes, NotOffered, Stuck, doing, failure, refusal
from tasks.errors import (
    CloudError,
    CloudUnreachable,
    Conflict,
    Immutable,
    NotFound,
    OverLimit,
    QuotaExceeded,
    Unauthorized,
    Uncertain,
)

IMMUTABLE = "Load Balancer '7' has a status of '{}' and is considered immutable."


def refused(status: int, text: str = "", *, method: str = "PUT", limited: bool = False) -> CloudError:
    """Turn an answer about a load balancer into an error."""
    path = "/v1.0/1/loadbalancers/7/nodes"
    answer = Answer(
        api="load balancer", method=method, path=path, status=status, text=text, rate_limited=limited, retry_after=9
    )
    return refusal(answer)


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (401, "", Unauthorized),
        (403, "Policy doesn't allow it", Unauthorized),
        (403, "Quota exceeded for ram: Requested 1024, but already used 131072 of 131072 ram", QuotaExceeded),
        (404, "Load balancer not found", NotFound),
        (405, "", NotOffered),
        (409, "Cannot 'reboot' instance 1 while it is in task_state rebooting", Immutable),
        (409, "Key pair 'a' already exists.", Conflict),
        (409, "Load Balancer 1 is immutable and cannot be updated.", Immutable),
        (409, "Another member on this pool is already using ip 10.0.0.1 on protocol_port 80", Conflict),
        (403, "Quota has been met for resources: Member", QuotaExceeded),
        (503, "Project busy.  Unable to lock the project.  Please try again.", Immutable),
        (410, "The loadbalancer is marked as deleted.", NotFound),
        (413, "Nodes must not exceed 25 per load balancer.", QuotaExceeded),
        (413, "Duplicate nodes detected. One or more nodes already configured on load balancer.", Conflict),
        (422, "Duplicate nodes detected. One or more nodes already configured on load balancer.", Conflict),
        (422, "Duplicate metadata keys detected. One or more metadata keys already configured.", Conflict),
        (400, "Metadata must not exceed 25 per load balancer.", QuotaExceeded),
        (403, "Maximum number of metadata items exceeds 40", QuotaExceeded),
        (422, IMMUTABLE.format("PENDING_UPDATE"), Immutable),
        (422, IMMUTABLE.format("PENDING-UPDATE"), Immutable),
        (422, IMMUTABLE.format("BUILD"), Immutable),
        (422, IMMUTABLE.format("PENDING_DELETE"), NotFound),
        (422, IMMUTABLE.format("DELETED"), NotFound),
        (422, "The load balancer is deleted and considered immutable.", NotFound),
        (422, IMMUTABLE.format("ERROR"), Stuck),
        (422, IMMUTABLE.format("SUSPENDED"), Stuck),
        (422, "LoadBalancer is not ACTIVE", Busy),
        (422, "No health monitor", CloudError),
        (400, "Node ids 100,200 are not a part of your loadbalancer", NoSuchNodes),
        (400, "Port field cannot be modified.", CloudError),
        (429, "slow down", OverLimit),
        (501, "", NotOffered),
        (500, "", Uncertain),
        (503, "", Uncertain),
        (302, "", CloudError),
    ],
)
def test_every_answer_means_one_error(status: int, text: str, error: type[CloudError]) -> None:
    """Status and text together tell what an answer means (traps 2, 3, 4 and 14)."""
    assert type(refused(status, text)) is error


def test_trap_04_a_duplicate_is_not_a_reason_to_wait() -> None:
    """422 means busy only in these words: a duplicate stays one, however long one looks."""
    duplicate = refused(422, "Duplicate nodes detected. One or more nodes already configured on load balancer.")

    assert not isinstance(duplicate, Immutable)


def test_a_rate_limit_says_when_to_come_back() -> None:
    """A 413 about the rate of requests carries the seconds to wait."""
    error = refused(413, "OverLimit Retry...", limited=True)

    assert isinstance(error, OverLimit)
    assert error.retry_after == 9


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_read_is_never_uncertain(status: int) -> None:
    """A question that was not answered has changed nothing, and may be asked again."""
    assert type(refused(status, method="GET")) is CloudUnreachable


def test_unknown_nodes_are_named() -> None:
    """A bulk change that names unknown nodes says which."""
    error = refused(400, "Node ids 100,200 are not a part of your loadbalancer")

    assert isinstance(error, NoSuchNodes)
    assert error.node_ids == {"100", "200"}


def test_an_error_quotes_the_answer_and_its_request_id() -> None:
    """An error says which API answered what to which kind of request, and the id that support asks for."""
    answer = Answer(api="compute", method="POST", path="/servers", status=400, text="Bad name", request_id="req-7")

    assert str(refusal(answer)) == "the compute API answered 400 to POST: Bad name (request id req-7)"
    assert refusal(answer).request_id == "req-7"


@pytest.mark.parametrize(
    ("body", "seen"),
    [({}, "KeyError: 'server'"), ({"server": None}, "TypeError: "), ({"server": {"id": "one"}}, "ValueError: ")],
)
def test_an_answer_that_lacks_what_it_should_hold_is_an_error(body: dict[str, Any], seen: str) -> None:
    """What cannot be read of an answer of success says so, what was being done, and where to look."""

    def read() -> None:
        with doing("showing server 1"):
            int(body["server"]["id"])

    with pytest.raises(CloudError, match=f"^showing server 1: the answer cannot be understood \\({seen}") as caught:
        read()
    assert caught.value.exit_code == 3
    assert "proxy" in caught.value.advice


@pytest.mark.parametrize(
    ("lost", "error", "said"),
    [
        (keystone.SSLError("certificate verify failed"), CloudUnreachable, "(?s)no answer of the compute API.*cacert"),
        (keystone.EndpointNotFound(), NotFound, "the cloud's catalog has no compute API for this region"),
        (keystone.HttpError(http_status=401), Unauthorized, r"identity refused the credentials \(401\)"),
    ],
)
def test_no_answer_has_a_reason(lost: keystone.ClientException, error: type[CloudError], said: str) -> None:
    """What kept a request from being answered at all is told, with what to do about it; nothing was carried out."""
    found = failure(lost, api="compute", method="POST")

    assert type(found) is error
    assert re.search(said, str(found))


def show_nothing() -> None:
    """Fail to show a server."""
    with doing("showing server 1"):
        raise refused(404)


def test_what_was_being_done_comes_first() -> None:
    """An error that leaves a block says what the block was doing."""
    with pytest.raises(NotFound, match=r"^showing server 1: the load balancer API answered 404"):
        show_nothing()
