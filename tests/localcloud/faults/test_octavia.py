"""Bad days of Octavia, with a real Envoy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Fault, Faults
from tests.localcloud.octavia_api import OctaviaApi, listener_body, octavia, pool_body
from tests.localcloud.traffic import NODE_PORT, eventually

pytestmark = pytest.mark.anyio
LONG = 3600.0  # longer than any test
PARTS = ("loadbalancer", "listener", "pool", "member")
MONITOR = {"type": "TCP", "delay": 60, "timeout": 1, "max_retries": 1, "max_retries_down": 10}


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
def faults() -> Faults:
    """Give the faults of the one service for all tests here."""
    return Faults()


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> AsyncIterator[OctaviaApi]:
    """Run one service for all tests here."""
    async with octavia(tmp_path_factory.mktemp("octavia"), faults=faults) as running:
        yield running


@pytest.fixture(autouse=True)
def good_days(faults: Faults):
    """Clear the faults after each test."""
    yield
    faults.clear()


def parts(balancer: dict[str, Any]) -> dict[str, str]:
    """Give the paths of a load balancer, its listener, its pool, and that pool's member."""
    [listener], [pool] = balancer["listeners"], balancer["pools"]
    return {
        "loadbalancer": f"/loadbalancers/{balancer['id']}",
        "listener": f"/listeners/{listener['id']}",
        "pool": f"/pools/{pool['id']}",
        "member": f"/pools/{pool['id']}/members/{pool['members'][0]['id']}",
    }


def named(balancer: dict[str, Any], part: str) -> dict[str, str]:
    """Name a part of a load balancer the way something that is created in it does."""
    return {f"{part}_id": parts(balancer)[part].rpartition("/")[2]}


async def provisioning(service: OctaviaApi, balancer: dict[str, Any]) -> str:
    """Give a load balancer's provisioning status."""
    return str((await service.get(f"/loadbalancers/{balancer['id']}"))["loadbalancer"]["provisioning_status"])


async def test_somebody_elses_change_comes_first(tmp_path: Path, faults: Faults):
    """A change of a load balancer or of anything in one finds it in PENDING_UPDATE, and is 409."""
    async with octavia(tmp_path / "octavia", faults=faults) as service:
        balancers = {part: await service.create_web(service.member()) for part in PARTS}
        faults.arm(Fault(name=FaultName.BALANCER_BUSY, seconds=LONG, times=len(PARTS)))
        for part, balancer in balancers.items():
            code, sentence = await service.refused("PUT", parts(balancer)[part], {part: {"name": "x"}})

            assert (part, code, await provisioning(service, balancer)) == (part, 409, "PENDING_UPDATE")
            assert "immutable" in sentence or "Invalid state PENDING_UPDATE" in sentence


@pytest.mark.parametrize(
    ("path", "kind", "parent"),
    [
        ("/listeners", "listener", "loadbalancer"),
        ("/pools", "pool", "loadbalancer"),
        ("/pools", "pool", "listener"),
        ("/healthmonitors", "healthmonitor", "pool"),
    ],
)
async def test_somebody_elses_change_comes_before_something_new(
    service: OctaviaApi, faults: Faults, path: str, kind: str, parent: str
):
    """Creating something in a load balancer finds it busy as well, and is 409."""
    balancer = await service.create_web(service.member())
    bodies = {"listener": listener_body(), "pool": pool_body(name="another"), "healthmonitor": MONITOR}
    faults.arm(Fault(name=FaultName.BALANCER_BUSY, seconds=0.01))
    code, _ = await service.refused("POST", path, {kind: {**bodies[kind], **named(balancer, parent)}})

    assert (code, await service.settled(balancer["id"])) == (409, "ACTIVE")
    assert [armed.struck for armed in faults.all()] == [1]


async def test_what_concerns_no_load_balancer_is_not_struck(service: OctaviaApi, faults: Faults):
    """A request for something that does not exist, or that makes no sense, is answered as ever."""
    faults.arm(Fault(name=FaultName.BALANCER_BUSY))
    answers = [
        (await service.refused("PUT", "/pools/nowhere", {"pool": {}}))[0],
        (await service.http.post("/listeners", content=b"{")).status_code,
        (await service.http.post("/listeners", json=[])).status_code,
    ]

    assert answers == [404, 400, 400]
    assert [armed.struck for armed in faults.all()] == [0]


async def test_somebody_elses_change_ends(service: OctaviaApi, faults: Faults):
    """After its time the load balancer is ACTIVE, as it was, and the same change is accepted."""
    balancer = await service.create_web(service.member())
    member = parts(balancer)["member"]
    faults.arm(Fault(name=FaultName.BALANCER_BUSY, seconds=0.01))
    code, _ = await service.refused("PUT", member, {"member": {"weight": 0}})

    assert (code, await service.settled(balancer["id"])) == (409, "ACTIVE")
    assert (await service.get(member))["member"]["weight"] == 1
    assert (await service.http.put(member, json={"member": {"weight": 0}})).status_code == 200


async def test_a_change_breaks_the_load_balancer(service: OctaviaApi, faults: Faults):
    """The change is accepted, and leaves load balancer, pool and member in ERROR; Envoy serves as before."""
    balancer = await service.create_web(service.member())
    members = f"{parts(balancer)['pool']}/members"
    before = await service.service.envoy.health(f"octavia-{balancer['listeners'][0]['id']}")
    faults.arm(Fault(name=FaultName.BALANCER_ERROR))
    accepted = await service.http.post(members, json={"member": service.member()})

    assert accepted.status_code == 201
    assert await service.settled(balancer["id"]) == "ERROR"
    assert (await service.refused("POST", members, {"member": service.member()}))[0] == 409
    assert await service.service.envoy.health(f"octavia-{balancer['listeners'][0]['id']}") == before


async def test_a_broken_load_balancer_can_be_deleted(service: OctaviaApi, faults: Faults):
    """What cannot be changed any more can be taken away, even when it never came up."""
    faults.arm(Fault(name=FaultName.BALANCER_ERROR))
    broken = await service.create_web(service.member())
    failed = await provisioning(service, broken)
    await service.accepted("DELETE", f"/loadbalancers/{broken['id']}", params={"cascade": "true"})

    assert failed == "ERROR"
    assert (await service.http.get(f"/loadbalancers/{broken['id']}")).status_code == 404


async def test_a_member_flaps(service: OctaviaApi, faults: Faults):
    """A watched member is in ERROR, which is Octavia's word for it, the other ONLINE; after a while both are well."""
    addresses = [service.network.private_ips.take() for _ in range(2)]
    async with AsyncExitStack() as listening:
        for address in addresses:
            await listening.enter_async_context(await asyncio.start_server(_accept, address, NODE_PORT))
        wanted = [service.member(address=address) for address in addresses]
        members = f"{parts(await service.create_web(*wanted, healthmonitor=MONITOR))['pool']}/members"
        faults.arm(Fault(name=FaultName.NODE_FLAPS, match=addresses[1], seconds=0.3))

        async def statuses() -> list[str]:
            return [each["operating_status"] for each in (await service.get(members))["members"]]

        async def well() -> bool:
            return await statuses() == ["ONLINE", "ONLINE"]

        assert await statuses() == ["ONLINE", "ERROR"]
        await eventually(well)


def _accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_lists_of_members_are_stale(service: OctaviaApi, faults: Faults):
    """The members are those of a while ago; then the list is true again."""
    balancer = await service.create_web(service.member())
    members = f"{parts(balancer)['pool']}/members"
    faults.arm(Fault(name=FaultName.STALE_LISTS, seconds=LONG, match="/members"))

    assert (await service.get(members))["members"] == []
    assert len((await service.get(members))["members"]) == 1
