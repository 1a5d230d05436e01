"""Octavia's load balancers: whole trees, virtual IPs, status tree, stats, quotas (Octavia api-ref)."""

import asyncio

import httpx
import pytest

from tests.localcloud.octavia_api import PROJECT, listener_body, octavia, pool_body, site
from tests.localcloud.traffic import NODE_PORT, Site

pytestmark = pytest.mark.anyio

MONITOR = {"type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1}


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def shared(tmp_path_factory):
    """Run a service for all tests here."""
    async with octavia(tmp_path_factory.mktemp("octavia")) as running:
        yield running


@pytest.fixture
async def api(shared):
    """Give the service without load balancers."""
    yield shared
    await shared.clear()


async def test_a_load_balancer_has_exactly_the_documented_attributes(api):
    """A load balancer is shown with what the service shows; times have no zone (LoadBalancerResponse)."""
    made = await api.create(name="web", tags=["app=guestbook"])
    shown = (await api.get(f"/loadbalancers/{made['id']}"))["loadbalancer"]

    assert set(shown) == {
        *("id", "name", "description", "provisioning_status", "operating_status", "admin_state_up", "project_id"),
        *("created_at", "updated_at", "vip_address", "vip_port_id", "vip_subnet_id", "vip_network_id"),
        *("vip_qos_policy_id", "vip_vnic_type", "additional_vips", "listeners", "pools", "provider", "flavor_id"),
        *("availability_zone", "tags"),
    }
    assert (shown["provisioning_status"], shown["operating_status"]) == ("ACTIVE", "ONLINE")
    assert (shown["project_id"], shown["tags"], shown["name"]) == (PROJECT, ["app=guestbook"], "web")
    assert len(shown["created_at"]) == len("2026-01-01T00:00:00")


async def test_a_whole_tree_is_created_in_one_call(api):
    """Listeners, pools, members and monitors of one POST serve when the load balancer is ACTIVE."""
    running = Site(api.network.private_ips.take())
    server = await asyncio.start_server(running.serve, running.endpoint.address, NODE_PORT)
    member = {"address": running.endpoint.address, "protocol_port": NODE_PORT}
    made = await api.create(
        pools=[pool_body(name="web", members=[member], healthmonitor=MONITOR)],
        listeners=[listener_body(default_pool={"name": "web"}), listener_body(default_pool={"name": "web"})],
    )

    assert [each["default_pool_id"] for each in made["listeners"]] == [made["pools"][0]["id"]] * 2
    assert made["pools"][0]["members"][0]["address"] == running.endpoint.address
    assert made["pools"][0]["healthmonitor"]["type"] == "TCP"
    async with httpx.AsyncClient() as client:
        assert (await client.get(site(made))).text == running.endpoint.address
    server.close()


@pytest.mark.parametrize(
    ("tree", "code", "says"),
    [
        ({"listeners": [listener_body(default_pool={"name": "x"})]}, 400, "Pool 'x' was referenced but no full"),
        ({"pools": [pool_body(name="x"), pool_body(name="x")]}, 400, "Pool names must be unique"),
        ({"pools": [{"name": "x", "protocol": "HTTP"}]}, 400, "missing required attribute: lb_algorithm"),
        ({"listeners": [listener_body(default_pool=pool_body())]}, 400, "Pools must be named"),
        ({"listeners": [listener_body(protocol_port=80), listener_body(protocol_port=80)]}, 409, "protocol_port 80"),
        ({"listeners": [listener_body(protocol="TERMINATED_HTTPS")]}, 501, "protocol TERMINATED_HTTPS"),
        ({"listeners": [listener_body(protocol="GOPHER")]}, 400, "listeners[0].protocol"),
        ({"pools": [pool_body(lb_algorithm="SOURCE_IP_PORT", name="x")]}, 501, "lb_algorithm SOURCE_IP_PORT"),
        (
            {
                "listeners": [
                    listener_body(
                        default_pool=pool_body(
                            name="x", members=[{"address": "127.1.1.1", "protocol_port": 1, "subnet_id": "nowhere"}]
                        )
                    )
                ]
            },
            404,
            "Subnet nowhere not found.",
        ),
        ({"flavor_id": "small"}, 501, "flavor_id 'small'"),
        ({"provider": "ovn"}, 501, "provider 'ovn'"),
        ({"vip_subnet_id": "nowhere"}, 404, "Subnet nowhere not found."),
        ({"vip_subnet_id": None}, 400, "VIP must contain one of"),
        ({"vip_port_id": "nowhere"}, 404, "Port nowhere not found."),
    ],
)
async def test_a_bad_tree_is_refused_as_a_whole(api, tree, code, says):
    """Of a tree that is not acceptable nothing is made, and its virtual IP is free again."""
    free = len(api.network.virtual_ips._free)
    answer = await api.refused("POST", "/loadbalancers", api.balancer_body(**tree))

    assert answer[0] == code
    assert says in answer[1]
    assert (await api.get("/loadbalancers"))["loadbalancers"] == []
    assert len(api.network.virtual_ips._free) == free


async def test_a_virtual_ip_can_be_chosen_and_has_one_owner(api):
    """`vip_address` is taken when it is free; a second load balancer on it is 409 in neutron's words."""
    address = api.network.virtual_ips.take()
    api.network.virtual_ips.give_back(address)
    made = await api.create(vip_address=address)
    refusal = await api.refused("POST", "/loadbalancers", api.balancer_body(vip_address=address))

    assert made["vip_address"] == address
    assert refusal == (409, f"IP address {address} already allocated in subnet {made['vip_subnet_id']}")


async def test_children_keep_a_load_balancer_from_being_deleted(api):
    """DELETE is 400 while there are children, and takes everything along with cascade=true; then all of it is 404."""
    made = await api.create_web(api.member())
    path = f"/loadbalancers/{made['id']}"
    assert await api.refused("DELETE", path) == (
        400,
        f"Validation failure: Cannot delete Load Balancer {made['id']} - it has children",
    )

    await api.accepted("DELETE", path, params={"cascade": "True"})
    assert await api.refused("GET", path) == (404, f"Load Balancer {made['id']} not found.")
    assert (await api.refused("GET", f"/pools/{made['pools'][0]['id']}"))[0] == 404
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(site(made))


async def test_a_load_balancer_can_be_switched_off(api):
    """With admin_state_up false nothing listens on the virtual IP, and everything is OFFLINE; and back again."""
    made = await api.create_web(api.member())
    path = f"/loadbalancers/{made['id']}"
    await api.accepted("PUT", path, {"loadbalancer": {"admin_state_up": False}})
    assert (await api.get(path))["loadbalancer"]["operating_status"] == "OFFLINE"
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(site(made))
        await api.accepted("PUT", path, {"loadbalancer": {"admin_state_up": True}})
        assert (await client.get(site(made))).status_code == 503


@pytest.mark.parametrize("word", ["status", "statuses"])
async def test_the_status_tree_tells_everything_at_once(api, word):
    """The status tree goes from the load balancer down to members and monitor."""
    made = await api.create_web(api.member(), healthmonitor=MONITOR)
    tree = (await api.get(f"/loadbalancers/{made['id']}/{word}"))["statuses"]["loadbalancer"]
    pool = tree["listeners"][0]["pools"][0]

    assert set(tree) == {"id", "name", "provisioning_status", "operating_status", "listeners"}
    assert pool["health_monitor"]["type"] == "TCP"
    assert set(pool["members"][0]) == {
        *("id", "name", "provisioning_status", "operating_status", "address", "protocol_port")
    }
    assert (tree["operating_status"], pool["members"][0]["operating_status"]) == ("ERROR", "ERROR")


async def test_stats_count_connections_and_bytes(api):
    """Stats of a listener are counted by Envoy; those of the load balancer are the sum of its listeners'."""
    made = await api.create_web()
    async with httpx.AsyncClient() as client:
        await client.get(site(made))
        of_listener = (await api.get(f"/listeners/{made['listeners'][0]['id']}/stats"))["stats"]
        of_balancer = (await api.get(f"/loadbalancers/{made['id']}/stats"))["stats"]

    assert (of_listener["total_connections"], of_listener["active_connections"]) == (1, 1)
    assert of_listener["bytes_in"] > 0 < of_listener["bytes_out"]
    assert of_balancer == of_listener
    assert set(of_listener) == {*("active_connections", "bytes_in", "bytes_out", "request_errors", "total_connections")}


async def test_quotas_are_kept(api):
    """Quotas are unlimited by default; beyond one that was set the answer is 403, and nothing is made."""
    path = f"/quotas/{PROJECT}"
    assert set((await api.get("/quotas/defaults"))["quota"].values()) == {-1}
    await api.accepted("PUT", path, {"quota": {"loadbalancer": 1, "member": 1}})
    made = await api.create_web(api.member())
    pool = made["pools"][0]["id"]

    assert await api.refused("POST", "/loadbalancers", api.balancer_body()) == (
        403,
        "Quota has been met for resources: loadbalancer",
    )
    assert (await api.refused("POST", f"/pools/{pool}/members", {"member": api.member()}))[0] == 403
    assert [each["loadbalancer"] for each in (await api.get("/quotas"))["quotas"]] == [1]
    await api.accepted("DELETE", path)
    await api.accepted("POST", f"/pools/{pool}/members", {"member": api.member()})
    assert (await api.get("/quotas"))["quotas"] == []


async def test_versions_say_what_can_be_asked_for(api):
    """The endpoint itself lists v2.0 to v2.26, so v2.11, additive batches, is there (root_controller.py)."""
    versions = (await api.root.get("/")).json()["versions"]

    assert [version["id"] for version in versions] == [f"v2.{minor}" for minor in range(27)]
    assert [version["id"] for version in versions if version["status"] == "CURRENT"] == ["v2.26"]
    assert {version["links"][0]["href"] for version in versions} == {"http://octavia/v2"}


@pytest.mark.parametrize("path", ["flavors", "flavorprofiles", "availabilityzones", "l7policies"])
async def test_what_there_is_none_of_is_an_empty_list(api, path):
    """Flavors, availability zones and L7 policies are empty lists; the one provider has the usual name."""
    assert [] in (await api.get(f"/{path}")).values()
    assert [each["name"] for each in (await api.get("/providers"))["providers"]] == ["amphora"]


async def test_a_token_is_wanted(api):
    """Without a token the answer is 401; the version list is open to everybody."""
    wire = httpx.ASGITransport(api.app)
    async with httpx.AsyncClient(transport=wire, base_url="http://octavia") as anonymous:
        assert (await anonymous.get("/v2/lbaas/loadbalancers")).status_code == 401
        assert (await anonymous.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "Request is not in valid JSON format"),
        (b"[]", "field/attribute loadbalancer. Value: 'None'. Mandatory field missing."),
        (b'{"loadbalancer": {"size": 3}}', "Unknown attribute: size"),
        (b'{"loadbalancer": {}, "extra": 1}', "Unknown attribute: extra"),
    ],
)
async def test_malformed_bodies_are_refused(api, content, says):
    """What is no JSON, or has other attributes than the service's, is 400 and says where."""
    answer = await api.http.post("/loadbalancers", content=content)

    assert answer.status_code == 400
    assert says in answer.json()["faultstring"]
    assert (answer.json()["faultcode"], answer.json()["debuginfo"]) == ("Client", None)


async def test_unknown_paths_are_answered_in_the_same_form(api):
    """404 and 405 that no part of the service has worded have the service's form as well."""
    assert await api.refused("GET", "/unicorns") == (404, "Not Found")
    assert await api.refused("PATCH", "/loadbalancers") == (405, "Method Not Allowed")
