"""Unmodified OpenStack clients on the local cloud's OpenStack face: the command `openstack`, and openstacksdk."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from keystoneauth1.adapter import Adapter
from openstack import exceptions
from openstack.connection import Connection

from tests.localcloud.daemons import LocalCloud, eventually, local_cloud
from tests.localcloud.traffic import NODE_PORT, Site

BALANCER_TYPES = {"load-balancer", "rax:load-balancer"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Give a running cloud that looks like OpenStack."""
    with local_cloud(tmp_path_factory.mktemp("octavia") / "state") as started:
        started.up("--face", "openstack")
        yield started


@pytest.fixture(scope="module")
def sdk(running: LocalCloud) -> Connection:
    """Give openstacksdk, which knows the cloud by its clouds.yaml."""
    return Connection(config=running.config())


def openstack(running: LocalCloud, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Type a command of python-openstackclient."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    cloud = {"OS_CLIENT_CONFIG_FILE": str(running.state_dir / "clouds.yaml"), "OS_CLOUD": "local"}
    command = [str(Path(sys.executable).with_name("openstack")), *arguments]
    return subprocess.run(command, env=plain | cloud, capture_output=True, text=True, timeout=60, check=False)


def told(running: LocalCloud, *arguments: str) -> Any:
    """Type a command that works; give what it tells."""
    done = openstack(running, *arguments, "-f", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def active(sdk: Connection, balancer_id: str) -> Any:
    """Wait with openstacksdk's own helper."""
    return sdk.load_balancer.wait_for_load_balancer(balancer_id, interval=0.05, wait=20)


def only(found: Iterator[Any]) -> Any:
    """Give the one thing that a list has."""
    [thing] = found
    return thing


def test_the_command_line_client_builds_and_takes_down(running: LocalCloud, sdk: Connection):
    """`openstack loadbalancer …` creates everything by name, shows it, drains a member, and deletes it all."""
    assert [network["Name"] for network in told(running, "network", "list")] == ["private"]
    made = told(running, "loadbalancer", "create", "--name", "web", "--vip-subnet-id", "private-subnet")
    active(sdk, made["id"])
    http = ("--protocol", "HTTP", "--protocol-port", "8080")
    told(running, "loadbalancer", "listener", "create", "--name", "http", *http, "web")
    active(sdk, made["id"])
    pool = ("--name", "app", "--lb-algorithm", "ROUND_ROBIN", "--listener", "http", "--protocol", "HTTP")
    told(running, "loadbalancer", "pool", "create", *pool)
    active(sdk, made["id"])
    where = ("--address", made["vip_address"], "--protocol-port", str(NODE_PORT))
    member = told(running, "loadbalancer", "member", "create", *where, "app")
    active(sdk, made["id"])
    probe = ("--type", "TCP", "--delay", "1", "--timeout", "1", "--max-retries", "1")
    told(running, "loadbalancer", "healthmonitor", "create", *probe, "app")
    active(sdk, made["id"])
    drained = openstack(running, "loadbalancer", "member", "set", "--weight", "0", "app", member["id"])
    assert drained.returncode == 0, drained.stderr
    active(sdk, made["id"])

    [listed] = told(running, "loadbalancer", "list")
    tree = openstack(running, "loadbalancer", "status", "show", "web")
    [shown] = json.loads(tree.stdout)["loadbalancer"]["listeners"][0]["pools"][0]["members"]
    assert (listed["name"], listed["vip_address"]) == ("web", made["vip_address"])
    assert (shown["id"], shown["operating_status"]) == (member["id"], "ERROR")
    assert sdk.load_balancer.get_member(member["id"], only(sdk.load_balancer.pools(name="app"))).weight == 0

    refused = openstack(running, "loadbalancer", "delete", "web")
    assert "it has children (HTTP 400)" in refused.stderr
    assert openstack(running, "loadbalancer", "delete", "--cascade", "web").returncode == 0
    eventually(lambda: not list(sdk.load_balancer.load_balancers()))


async def answers(url: str, address: str) -> str:
    """Ask a load balancer while an app server runs."""
    running = Site(address)
    server = await asyncio.start_server(running.serve, address, NODE_PORT)
    async with server, httpx.AsyncClient() as client:
        return (await client.get(url)).text


def test_openstacksdk_balances_real_traffic(sdk: Connection):
    """What openstacksdk makes serves; its own helpers wait for load balancers to be ACTIVE, and to be gone."""
    api = sdk.load_balancer
    subnet = only(sdk.network.subnets(name="private-subnet"))
    pool = {"name": "app", "protocol": "HTTP", "lb_algorithm": "LEAST_CONNECTIONS"}
    listener = {"protocol": "HTTP", "protocol_port": 8080, "default_pool": pool}
    made = api.create_load_balancer(name="sdk", vip_subnet_id=subnet.id, listeners=[listener])
    shown = active(sdk, made.id)
    address = subnet.allocation_pools[1]["end"]
    found = only(api.pools(name="app"))
    member = api.create_member(found, address=address, protocol_port=NODE_PORT)
    active(sdk, made.id)

    assert (shown.operating_status, shown.pools) == ("ONLINE", [{"id": found.id}])
    assert asyncio.run(answers(f"http://{made.vip_address}:8080/", address)) == address
    assert api.get_load_balancer_statistics(made.id).total_connections == 1
    with pytest.raises(exceptions.ConflictException, match="already using ip"):
        api.create_member(found, address=address, protocol_port=NODE_PORT)
    assert api.update_member(member, found, weight=0).weight == 0
    active(sdk, made.id)
    assert [each.operating_status for each in api.members(found)] == ["DRAINING"]

    api.delete_load_balancer(made.id, cascade=True)
    api.wait_for_delete(made, interval=0.05, wait=20)
    assert list(api.load_balancers(name="sdk")) == []


def test_openstacksdk_follows_pages_and_reads_what_is_offered(sdk: Connection):
    """Lists come in pages, which openstacksdk follows; quotas, providers and flavors can be read."""
    api = sdk.load_balancer
    subnet = only(sdk.network.subnets(name="private-subnet"))
    made = [api.create_load_balancer(name=f"page-{number}", vip_subnet_id=subnet.id) for number in range(3)]

    assert [each.name for each in api.load_balancers(limit=1)] == ["page-0", "page-1", "page-2"]
    assert api.get_quota_default().load_balancers == -1
    assert [each.name for each in api.providers()] == ["amphora"]
    assert list(api.flavors()) == []
    for each in made:
        active(sdk, each.id)
        api.delete_load_balancer(each.id)
        api.wait_for_delete(each, interval=0.05, wait=20)


def test_ports_tell_who_has_which_address(sdk: Connection):
    """A server and a virtual IP each have a port on the one subnet, found by device and by address."""
    subnet = only(sdk.network.subnets(name="private-subnet"))
    balancer = sdk.load_balancer.create_load_balancer(name="ports", vip_subnet_id=subnet.id)
    image = next(sdk.image.images())
    server = sdk.compute.create_server(name="ports", image_id=image.id, flavor_id="general1-1", networks="auto")
    [of_server] = sdk.network.ports(device_id=server.id)
    [of_balancer] = sdk.network.ports(fixed_ips=f"ip_address={balancer.vip_address}")

    assert (of_server.device_owner, of_server.network_id) == ("compute:nova", subnet.network_id)
    assert (of_balancer.id, of_balancer.device_owner) == (balancer.vip_port_id, "Octavia")
    assert sdk.network.get_network(subnet.network_id).subnet_ids == [subnet.id]
    with pytest.raises(exceptions.NotFoundException, match="could not be found"):
        sdk.network.get_network("nowhere")
    sdk.compute.delete_server(server)
    active(sdk, balancer.id)
    sdk.load_balancer.delete_load_balancer(balancer.id)


def balancers_in_catalog(running: LocalCloud) -> set[str]:
    """Tell which load balancer services the catalog names."""
    catalog = running.session().auth.get_access(running.session()).service_catalog.get_endpoints()
    return BALANCER_TYPES & set(catalog)


def test_the_openstack_face_has_nothing_of_the_other(running: LocalCloud):
    """The OpenStack face has Octavia and a network, neither identity v2.0 nor Cloud Load Balancers."""
    status = running.status()
    root = status["auth_url_v3"].removesuffix("/identity/v3")

    assert status["auth_url_v2"] is None
    assert balancers_in_catalog(running) == {"load-balancer"}
    assert httpx.get(f"{root}/identity/v2.0").status_code == 404
    assert httpx.get(f"{root}/clb/v1.0/{status['project']}/loadbalancers").status_code == 404
    versions = httpx.get(f"{root}/identity/").json()["versions"]["values"]
    assert [version["id"] for version in versions] == ["v3.14"]


def test_logs_name_servers_on_the_openstack_face(running: LocalCloud, sdk: Connection):
    """`logs` calls a server by its name where there is no identity v2.0 either."""
    image = next(sdk.image.images())
    server = sdk.compute.create_server(name="sayer", image_id=image.id, flavor_id="general1-1", networks="auto")
    sdk.compute.wait_for_server(server, interval=0.05, wait=30)

    assert running.run("logs", "--server", "sayer").returncode == 0
    sdk.compute.delete_server(server)


def test_the_rackspace_face_has_nothing_of_the_other(tmp_path: Path):
    """The Rackspace face has Cloud Load Balancers and identity v2.0, neither Octavia nor a network."""
    with local_cloud(tmp_path / "state") as cloud:
        cloud.up("--face", "rackspace")
        root = cloud.status()["auth_url_v2"].removesuffix("/identity/v2.0")

        assert balancers_in_catalog(cloud) == {"rax:load-balancer"}
        assert [httpx.get(f"{root}/{path}").status_code for path in ("load-balancer", "network")] == [404, 404]
        assert "neutron" not in json.dumps(cloud.session().auth.get_access(cloud.session()).service_catalog.catalog)
        clb = Adapter(cloud.session(), service_type="rax:load-balancer", region_name="ORD")
        assert clb.get("/loadbalancers").json() == {"loadBalancers": []}


def test_both_faces_drive_one_envoy(tmp_path: Path):
    """By default both services are there; their load balancers have virtual IPs of one pool and one proxy."""
    with local_cloud(tmp_path / "state") as cloud:
        cloud.up()
        sdk = Connection(config=cloud.config())
        clb = Adapter(cloud.session(), service_type="rax:load-balancer", region_name="ORD")
        body = {"name": "web", "protocol": "HTTP", "port": 8080, "virtualIps": [{"type": "PUBLIC"}]}
        rackspace = clb.post("/loadbalancers", json={"loadBalancer": body}).json()["loadBalancer"]
        listener = {"protocol": "HTTP", "protocol_port": 8080}
        subnet = only(sdk.network.subnets(name="private-subnet"))
        octavia = sdk.load_balancer.create_load_balancer(vip_subnet_id=subnet.id, listeners=[listener])
        active(sdk, octavia.id)
        addresses = {rackspace["virtualIps"][0]["address"], octavia.vip_address}

        assert balancers_in_catalog(cloud) == BALANCER_TYPES
        assert len(addresses) == 2
        eventually(lambda: clb.get(f"/loadbalancers/{rackspace['id']}").json()["loadBalancer"]["status"] == "ACTIVE")
        assert {httpx.get(f"http://{address}:8080/").status_code for address in addresses} == {503}
        assert len([process for process in cloud.processes() if "envoy" in process.name()]) == 1
