"""The network service that places virtual IPs: one network, one subnet, ports (networking api-ref, v2)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.localcloud.api.network import Networking, network_application
from tasks.localcloud.balancing.octavia_service import OctaviaService
from tasks.localcloud.network import AddressPool
from tasks.localcloud.proxy.envoy import Envoy
from tasks.localcloud.subnet import Subnet
from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio

SUBNET = Subnet(gateway="127.9.0.1")


@pytest.fixture
async def network(cloud: Cloud, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Call the network service of a cloud without load balancers; no Envoy runs."""
    balancers = OctaviaService(Envoy(tmp_path), AddressPool(["127.9.1.1"]), subnet=SUBNET)
    networking = Networking(project="123456", servers=cloud.servers, balancers=balancers)
    wire = httpx.ASGITransport(network_application(networking, cloud.tokens))
    headers = {"X-Auth-Token": cloud.http.headers["X-Auth-Token"]}
    async with httpx.AsyncClient(transport=wire, base_url="http://network", headers=headers) as client:
        yield client


async def listed(network: httpx.AsyncClient, kind: str, **query: Any) -> list[dict[str, Any]]:
    """List networks, subnets or ports."""
    answer = await network.get(f"/v2.0/{kind}", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()[kind])


async def test_the_subnet_is_all_of_the_cloud(network: httpx.AsyncClient):
    """One private network has one subnet: the cloud's own 127.x.0.0/16, with room for virtual IPs and servers."""
    [private] = await listed(network, "networks")
    [subnet] = await listed(network, "subnets")

    assert (private["name"], private["subnets"], private["status"]) == ("private", [subnet["id"]], "ACTIVE")
    assert (subnet["cidr"], subnet["gateway_ip"], subnet["network_id"]) == ("127.9.0.0/16", "127.9.0.1", private["id"])
    assert [pool["start"] for pool in subnet["allocation_pools"]] == ["127.9.1.1", "127.9.2.1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name": "private-subnet"}, 1),
        ({"name": "public"}, 0),
        ({"name": ["public", "private-subnet"]}, 1),
        ({"ip_version": "4", "enable_dhcp": "False"}, 1),
        ({"unheard_of": "x"}, 1),
    ],
)
async def test_lists_are_filtered(network: httpx.AsyncClient, query: dict[str, Any], found: int):
    """Attributes filter, several values of one are alternatives, and parameters that name nothing are ignored."""
    assert len(await listed(network, "subnets", **query)) == found


async def test_fields_choose(network: httpx.AsyncClient):
    """`fields` leaves the rest out."""
    assert await listed(network, "networks", fields="name") == [{"name": "private"}]


async def test_a_server_has_a_port(network: httpx.AsyncClient, cloud: Cloud):
    """A server's port is found by its device and by its address, and can be shown; it goes with the server."""
    server_id = await cloud.create()
    await cloud.settle()
    [port] = await listed(network, "ports", device_id=server_id)
    address = port["fixed_ips"][0]["ip_address"]

    assert (port["status"], port["device_owner"]) == ("ACTIVE", "compute:nova")
    assert [each["id"] for each in await listed(network, "ports", fixed_ips=f"ip_address={address}")] == [port["id"]]
    assert await listed(network, "ports", fixed_ips="ip_address=127.9.9.9") == []
    assert (await network.get(f"/v2.0/ports/{port['id']}")).json() == {"port": port}
    await cloud.http.delete(f"/compute/v2.1/servers/{server_id}")
    await cloud.settle()
    assert await listed(network, "ports") == []


async def test_what_is_not_there_is_said_as_neutron_says_it(network: httpx.AsyncClient):
    """404 and 405 have the service's form; nothing can be created."""
    missing = await network.get("/v2.0/networks/nowhere")
    refused = await network.post("/v2.0/networks", json={"network": {}})

    message = "Network nowhere could not be found."
    assert (missing.status_code, missing.json()["NeutronError"]["message"]) == (404, message)
    assert (refused.status_code, refused.json()["NeutronError"]["type"]) == (405, "HTTPMethodNotAllowed")


async def test_versions_are_open_and_the_rest_is_not(network: httpx.AsyncClient):
    """The version list needs no token; everything else is 401 without one."""
    network.headers.pop("X-Auth-Token")
    version = (await network.get("/")).json()["versions"][0]

    assert (version["id"], version["links"][0]["href"]) == ("v2.0", "http://network/v2.0/")
    assert (await network.get("/v2.0/networks")).status_code == 401
