"""Faults of the API as a whole: which answer there is, and whether the request had its effect."""

import io
from dataclasses import replace

import httpx
import pytest

from tasks.localcloud.api.application import application
from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Fault
from tasks.localcloud.options import Face
from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio

SERVERS = "/compute/v2.1/servers"
KEYPAIRS = "/compute/v2.1/os-keypairs"
CLB = "/clb/v1.0/123456/loadbalancers"
OCTAVIA = "/load-balancer/v2/lbaas/loadbalancers"
NETWORK = "/network/v2.0/subnets"
IMAGES = "/image/v2/images"
A_KEY = {"keypair": {"name": "deploy"}}


def arm(cloud: Cloud, name: FaultName, **more) -> None:
    """Arm a fault."""
    cloud.bad_days.faults.arm(Fault(name=name, **more))


async def keys(cloud: Cloud) -> int:
    """Count the key pairs."""
    return len((await cloud.http.get(KEYPAIRS)).json()["keypairs"])


@pytest.mark.parametrize(
    ("name", "code"), [(FaultName.API_500, 500), (FaultName.API_503, 503), (FaultName.OVER_LIMIT, 413)]
)
async def test_a_refused_request_has_no_effect(cloud: Cloud, name: FaultName, code: int):
    """The answer is the fault's, nothing was done, and the next request finds everything in order."""
    arm(cloud, name)
    answer = await cloud.http.post(KEYPAIRS, json=A_KEY)

    assert answer.status_code == code
    assert await keys(cloud) == 0
    assert (await cloud.http.post(KEYPAIRS, json=A_KEY)).status_code == 200


async def test_a_request_may_be_done_and_answered_with_500(cloud: Cloud):
    """The effect is there although the answer is 500; a request that only looks is not struck."""
    arm(cloud, FaultName.API_500_BUT_DONE)
    looked = await keys(cloud)
    answer = await cloud.http.post(KEYPAIRS, json=A_KEY)

    assert (looked, answer.status_code, await keys(cloud)) == (0, 500, 1)
    assert list(answer.json()) == ["computeFault"]


@pytest.mark.parametrize(("name", "made"), [(FaultName.API_TIMEOUT, 0), (FaultName.API_TIMEOUT_BUT_DONE, 1)])
async def test_a_request_may_never_be_answered(cloud: Cloud, served: httpx.AsyncClient, name: FaultName, made: int):
    """The connection is closed without an answer, whether there was an effect or not."""
    arm(cloud, name, seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        await served.post(KEYPAIRS, json=A_KEY)

    assert await keys(cloud) == made
    assert f"POST {KEYPAIRS} 000 " in cloud.log.getvalue()


async def test_a_client_that_gives_up_ends_the_silence(cloud: Cloud, served: httpx.AsyncClient):
    """Who waits no longer than its own time-out is noticed; the cloud serves on."""
    arm(cloud, FaultName.API_TIMEOUT, seconds=3600)
    with pytest.raises(httpx.ReadTimeout):
        await served.get(SERVERS, timeout=0.05)

    assert (await served.get(SERVERS)).status_code == 200


@pytest.mark.parametrize("path", ["/identity/v3", "/compute/v2.1/", "/control/faults"])
async def test_logging_in_and_steering_are_spared(cloud: Cloud, path: str):
    """Faults strike the work of services; versions, logins and the control API are answered as ever."""
    arm(cloud, FaultName.API_500, times=0)

    assert (await cloud.http.get(path)).status_code in {200, 401}


async def test_a_fault_may_be_for_one_kind_of_request(cloud: Cloud):
    """With `match`, only requests whose method and path have it are struck."""
    arm(cloud, FaultName.API_500, match=f"POST {KEYPAIRS}")
    looked = await cloud.http.get(KEYPAIRS)
    made = await cloud.http.post(KEYPAIRS, json=A_KEY)

    assert (looked.status_code, made.status_code) == (200, 500)


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        (SERVERS, {"computeFault"}),
        (CLB, {"message", "code"}),
        (OCTAVIA, {"faultcode", "faultstring", "debuginfo"}),
        (NETWORK, {"NeutronError"}),
    ],
)
async def test_a_500_has_the_words_of_its_service(cloud: Cloud, path: str, keys: set[str]):
    """Each service words its failures in its own form."""
    arm(cloud, FaultName.API_500)
    answer = await cloud.http.get(path)

    assert (answer.status_code, set(answer.json())) == (500, keys)


async def test_a_503_may_come_from_the_proxy_in_front(cloud: Cloud):
    """Rackspace's services speak for themselves and CLB says when to come back; others' 503 is a page of HTML."""
    arm(cloud, FaultName.API_503, times=4, seconds=2.5)
    compute, clb, octavia, image = [await cloud.http.get(path) for path in (SERVERS, CLB, OCTAVIA, IMAGES)]

    assert [answer.status_code for answer in (compute, clb, octavia, image)] == [503] * 4
    assert compute.json()["serviceUnavailable"]["code"] == 503
    assert (clb.json()["code"], clb.headers["Retry-After"]) == (503, "3")
    assert octavia.headers["Content-Type"].startswith("text/html")
    assert "Retry-After" not in octavia.headers


@pytest.mark.parametrize("path", [SERVERS, CLB])
async def test_rackspaces_rate_limit_is_a_nested_413(cloud: Cloud, path: str):
    """413, `overLimit` around everything, and Retry-After (CLB docs, limits; Cloud Servers docs, faults)."""
    arm(cloud, FaultName.OVER_LIMIT, seconds=7)
    answer = await cloud.http.get(path)

    assert (answer.status_code, answer.headers["Retry-After"]) == (413, "7")
    assert answer.json()["overLimit"].keys() == {"code", "message", "details", "retryAfter"}
    assert answer.json()["overLimit"]["code"] == 413


@pytest.mark.parametrize("path", [OCTAVIA, NETWORK, IMAGES])
async def test_openstacks_rate_limit_is_a_429(cloud: Cloud, path: str):
    """429 with Retry-After, as the proxies in front of OpenStack's services answer."""
    arm(cloud, FaultName.OVER_LIMIT, seconds=7)
    answer = await cloud.http.get(path)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


async def test_compute_limits_as_the_cloud_it_looks_like(cloud: Cloud):
    """On OpenStack's face compute's rate limit is 429 as well; Nova repeats the seconds in the body."""
    arm(cloud, FaultName.OVER_LIMIT, seconds=7)
    wire = httpx.ASGITransport(application(replace(cloud.services, face=Face.OPENSTACK), io.StringIO()))
    async with httpx.AsyncClient(transport=wire, base_url="http://cloud") as client:
        answer = await client.get(SERVERS)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["overLimit"]["retryAfter"] == "7"
