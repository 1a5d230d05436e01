"""Bad days of Cloud Load Balancers, with a real Envoy."""

from collections.abc import AsyncIterator

import pytest

from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Fault, Faults
from tests.localcloud.clb_api import Clb, clb
from tests.localcloud.traffic import eventually

pytestmark = pytest.mark.anyio
LONG = 3600.0  # longer than any test


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
def faults() -> Faults:
    """Give the faults of the one service for all tests here."""
    return Faults()


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> AsyncIterator[Clb]:
    """Run one service for all tests here."""
    async with clb(tmp_path_factory.mktemp("clb"), faults=faults) as running:
        yield running


@pytest.fixture(autouse=True)
def good_days(faults: Faults):
    """Clear the faults after each test."""
    yield
    faults.clear()


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", ""), ("DELETE", "/nodes/{node}"), ("DELETE", "/nodes?id={node}"), ("DELETE", "")]
)
async def test_somebody_elses_change_comes_first(service: Clb, faults: Faults, method: str, path: str):
    """A change finds the load balancer in PENDING_UPDATE and is refused; others are not touched."""
    other, _ = await service.create_with_nodes(1, name="other")
    balancer, [node] = await service.create_with_nodes(1, name="busy")
    faults.arm(Fault(name=FaultName.BALANCER_BUSY, match="busy", seconds=LONG))
    assert (await service.http.put(f"/{other}", json={"name": "another"})).status_code == 202
    answer = await service.http.request(method, f"/{balancer}{path.format(node=node)}", json={"name": "x"})

    assert answer.status_code == (400 if (method, path) == ("DELETE", "") else 422)
    assert (await service.details(balancer))["status"] == "PENDING_UPDATE"


async def test_looking_finds_nobody_elses_change(service: Clb, faults: Faults):
    """A load balancer that is only looked at is ACTIVE, and the fault waits."""
    balancer, _ = await service.create_with_nodes(1)
    faults.arm(Fault(name=FaultName.BALANCER_BUSY, seconds=LONG))

    assert (await service.details(balancer))["status"] == "ACTIVE"


async def test_somebody_elses_change_ends(service: Clb, faults: Faults):
    """After its time the load balancer is ACTIVE, as it was, and the same change is accepted."""
    balancer, [node] = await service.create_with_nodes(1)
    faults.arm(Fault(name=FaultName.BALANCER_BUSY, seconds=0.01))
    refused = await service.http.put(f"/{balancer}/nodes/{node}", json={"condition": "DRAINING"})

    assert refused.status_code == 422
    assert await service.settled(balancer) == "ACTIVE"
    assert [node["condition"] for node in await service.nodes(balancer)] == ["ENABLED"]
    await service.accepted("PUT", f"/{balancer}/nodes/{node}", json={"condition": "DRAINING"})


async def test_a_change_breaks_the_load_balancer(service: Clb, faults: Faults):
    """The change is accepted, and leaves the load balancer in ERROR, where every other change is refused."""
    balancer, _ = await service.create_with_nodes(1)
    faults.arm(Fault(name=FaultName.BALANCER_ERROR))
    accepted = await service.http.post(f"/{balancer}/nodes", json={"nodes": [service.node()]})

    assert accepted.status_code == 202
    assert await service.settled(balancer) == "ERROR"
    assert (await service.http.post(f"/{balancer}/nodes", json={"nodes": [service.node()]})).status_code == 422


async def test_a_broken_load_balancer_serves_as_before(service: Clb, faults: Faults):
    """What Envoy serves is what was there before the change that broke."""
    balancer, [kept] = await service.create_with_nodes(1)
    faults.arm(Fault(name=FaultName.BALANCER_ERROR))
    await service.http.post(f"/{balancer}/nodes", json={"nodes": [service.node()]})
    await service.settled(balancer)
    [node] = [node for node in await service.nodes(balancer) if node["id"] == kept]

    assert [endpoint.address for endpoint in await service.service.envoy.health(f"clb-{balancer}")] == [node["address"]]


async def test_a_node_flaps(service: Clb, faults: Faults):
    """The node that is meant is OFFLINE, the other ONLINE; after a while it is ONLINE again."""
    balancer, ids = await service.create_with_nodes(2)
    addresses = {node["id"]: node["address"] for node in await service.nodes(balancer)}
    faults.arm(Fault(name=FaultName.NODE_FLAPS, match=addresses[ids[1]], seconds=0.3))
    flapping = {node["id"]: node["status"] for node in await service.nodes(balancer)}

    async def well() -> bool:
        return {node["status"] for node in await service.nodes(balancer)} == {"ONLINE"}

    assert flapping == {ids[0]: "ONLINE", ids[1]: "OFFLINE"}
    await eventually(well)


async def test_a_node_is_known_by_its_servers_name(service: Clb, faults: Faults):
    """`match` may be the name of the server that the node is."""
    balancer, _ = await service.create_with_nodes(2)
    addresses = [node["address"] for node in await service.nodes(balancer)]
    service.service.accidents.server_at = {addresses[0]: "web-1", addresses[1]: "web-2"}.get
    faults.arm(Fault(name=FaultName.NODE_FLAPS, match="web-2", seconds=LONG))

    assert [node["status"] for node in await service.nodes(balancer)] == ["ONLINE", "OFFLINE"]


async def test_lists_of_nodes_are_stale(service: Clb, faults: Faults):
    """Nodes, listed or in the load balancer's details, are those of a while ago; then they are true again."""
    balancer, ids = await service.create_with_nodes(1)
    faults.arm(Fault(name=FaultName.STALE_LISTS, seconds=LONG, times=2))
    stale = [await service.nodes(balancer), (await service.details(balancer)).get("nodes", [])]

    assert stale == [[], []]
    assert [node["id"] for node in await service.nodes(balancer)] == ids
