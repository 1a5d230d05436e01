"""Requests that stand still until they are let go, over real HTTP."""

import asyncio

import httpx
import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"


async def counted(served: httpx.AsyncClient) -> int:
    """Ask how many requests have been counted."""
    return int((await served.get("/control/holds")).json()["counted"])


async def arm(served: httpx.AsyncClient, request: int, moment: str) -> None:
    """Arm a hold point."""
    answer = await served.post("/control/holds", json={"request": request, "moment": moment})
    assert answer.status_code == 201, answer.text


async def test_service_requests_are_counted(cloud: Cloud, served: httpx.AsyncClient):
    """Requests to compute, images and the other services count, whatever their answer."""
    for path in (SERVERS, f"{SERVERS}/nobody", "/image/v2/images", "/clb/v1.0/123456/loadbalancers"):
        await served.get(path)

    assert await counted(served) == 4


@pytest.mark.parametrize(
    "path", ["/control/faults", "/identity/v3", "/compute/", "/compute/v2.1", "/compute/v2.1/", "/image/", "/nowhere"]
)
async def test_other_requests_are_not_counted(served: httpx.AsyncClient, path: str):
    """Logging in, versions and the control API count nothing."""
    await served.get(path)

    assert await counted(served) == 0


async def test_a_request_is_held_before_its_effect(cloud: Cloud, served: httpx.AsyncClient):
    """The k-th request from now on has no effect, the hold is told by a long poll, and it never gets an answer."""
    await arm(served, 2, "before")
    await served.get(SERVERS)
    lost = asyncio.create_task(served.post(SERVERS, json=cloud.body()))
    seen = (await served.get("/control/holds", params={"wait": 10})).json()

    assert (seen["held"]["kind"], seen["held"]["what"]) == ("api", f"POST {SERVERS}")
    assert (seen["counted"], seen["armed"]["number"]) == (2, 2)
    assert (await served.delete("/control/holds")).json() == {"counted": 2, "armed": None, "held": None}
    with pytest.raises(httpx.RemoteProtocolError):
        await lost
    assert cloud.servers.all() == []


async def test_the_kth_request_of_a_kind_is_held(cloud: Cloud, served: httpx.AsyncClient):
    """With a pattern, requests in which it is not found pass without counting towards k."""
    wanted = {"request": 1, "moment": "before", "pattern": "POST|PUT|DELETE"}
    armed = await served.post("/control/holds", json=wanted)
    looked = await served.get(SERVERS)
    lost = asyncio.create_task(served.post(SERVERS, json=cloud.body()))
    seen = (await served.get("/control/holds", params={"wait": 10})).json()
    await served.delete("/control/holds")

    assert armed.json()["armed"] == {**wanted, "passed": 0, "number": None}
    assert (looked.status_code, seen["held"]["what"]) == (200, f"POST {SERVERS}")
    with pytest.raises(httpx.RemoteProtocolError):
        await lost


async def test_a_request_is_held_after_its_effect(cloud: Cloud, served: httpx.AsyncClient):
    """Held after its effect, a request has made its server and gets no answer."""
    await arm(served, 1, "after")
    lost = asyncio.create_task(served.post(SERVERS, json=cloud.body()))
    seen = (await served.get("/control/holds", params={"wait": 10})).json()
    await served.delete("/control/holds")

    assert seen["held"]["what"] == f"POST {SERVERS}"
    with pytest.raises(httpx.RemoteProtocolError):
        await lost
    assert len(cloud.servers.all()) == 1


async def test_others_pass_while_one_is_held(cloud: Cloud, served: httpx.AsyncClient):
    """Only the armed request stands still."""
    await arm(served, 1, "before")
    lost = asyncio.create_task(served.get(SERVERS))
    await served.get("/control/holds", params={"wait": 10})

    assert (await served.get(f"{SERVERS}/detail")).status_code == 200
    await served.delete("/control/holds")
    with pytest.raises(httpx.RemoteProtocolError):
        await lost


async def test_a_client_that_died_while_held_leaves_no_effect(cloud: Cloud, served: httpx.AsyncClient):
    """A request whose client is gone is let go without an effect."""
    await arm(served, 1, "before")
    lost = asyncio.create_task(served.post(SERVERS, json=cloud.body()))
    await served.get("/control/holds", params={"wait": 10})
    lost.cancel()
    await asyncio.wait([lost])
    await served.delete("/control/holds")

    assert (await served.get(SERVERS)).json() == {"servers": []}


async def test_a_long_poll_ends(served: httpx.AsyncClient):
    """A poll is answered when its time is up, and says that nothing is held."""
    answer = (await served.get("/control/holds", params={"wait": 0.01})).json()

    assert answer == {"counted": 0, "armed": None, "held": None}


async def test_a_request_without_an_answer_has_no_status_in_the_log(cloud: Cloud, served: httpx.AsyncClient):
    """The request log shows 000 for it."""
    await arm(served, 1, "before")
    lost = asyncio.create_task(served.get(SERVERS))
    await served.get("/control/holds", params={"wait": 10})
    await served.delete("/control/holds")
    with pytest.raises(httpx.RemoteProtocolError):
        await lost

    assert f"GET {SERVERS} 000 " in cloud.log.getvalue()
