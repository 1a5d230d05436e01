"""The log of API requests."""

import re

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?P<what>\S+ \S+ \d{3}) \d+\.\dms (?P<id>req-[0-9a-f-]{36})")


async def test_every_request_is_one_line(cloud: Cloud):
    """A request leaves time, method, path with query, status, milliseconds and request id behind."""
    await cloud.http.get("/compute/v2.1/servers?name=web")
    await cloud.anonymous.post("/identity/v2.0/tokens", json={})
    lines = [LINE.fullmatch(line) for line in cloud.log.getvalue().splitlines()]

    assert [line["what"] for line in lines if line] == [
        "GET /compute/v2.1/servers?name=web 200",
        "POST /identity/v2.0/tokens 400",
    ]


async def test_answers_carry_the_id_of_the_log(cloud: Cloud):
    """The request id of an answer finds the line of its request; compute gives it under both names."""
    answer = await cloud.http.get("/compute/v2.1/servers")

    assert answer.headers["X-Compute-Request-Id"] == answer.headers["X-Openstack-Request-Id"]
    assert answer.headers["X-Compute-Request-Id"] in cloud.log.getvalue()


async def test_a_path_cannot_forge_a_line(cloud: Cloud):
    """A line break in a path does not begin a new line of the log."""
    await cloud.http.get("/compute/%0A2026 GET /innocent 200")

    assert len(cloud.log.getvalue().splitlines()) == 1


async def test_secrets_stay_out(cloud: Cloud):
    """Neither tokens nor passwords are logged, not even a token that stands in a path."""
    token = cloud.tokens.issue().id
    secrets = cloud.compute.credentials
    body = {"auth": {"passwordCredentials": {"username": secrets.username, "password": secrets.password}}}
    await cloud.anonymous.post("/identity/v2.0/tokens", json=body)
    await cloud.http.get(f"/identity/v2.0/tokens/{token}", headers={"X-Auth-Token": token})

    assert token not in cloud.log.getvalue()
    assert secrets.password not in cloud.log.getvalue()
    assert "/identity/v2.0/tokens/*** 200" in cloud.log.getvalue()


async def test_what_looks_like_a_token_stays_out(cloud: Cloud):
    """A token that somebody has put into a query, or behind too many slashes, is not logged either; ids are."""
    token, server_id = cloud.tokens.issue().id, "0e44cc9c-e052-415d-afbf-469b0d384170"
    await cloud.http.get(f"/compute/v2.1/servers/{server_id}?token={token}")
    await cloud.http.get(f"/identity/v2.0//tokens//{token}")

    assert token not in cloud.log.getvalue()
    assert f"/servers/{server_id}?token=*** 404" in cloud.log.getvalue()
