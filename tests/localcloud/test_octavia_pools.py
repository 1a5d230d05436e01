"""Octavia's listeners and pools (Octavia api-ref)."""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.localcloud.octavia_api import listener_body, octavia, pool_body, site
from tests.localcloud.traffic import NODE_PORT, Site

pytestmark = pytest.mark.anyio


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


@pytest.fixture
async def sites(shared):
    """Run two app servers."""
    running = [Site(shared.network.private_ips.take()) for _ in range(2)]
    servers = [await asyncio.start_server(each.serve, each.endpoint.address, NODE_PORT) for each in running]
    yield running
    for server in servers:
        server.close()


def members(sites: list[Site]) -> list[dict]:
    """Describe sites as members."""
    return [{"address": each.endpoint.address, "protocol_port": NODE_PORT} for each in sites]


async def answers(url: str, requests: int = 10) -> Counter[str]:
    """Count who answers, each request on a connection of its own."""
    seen: Counter[str] = Counter()
    for _ in range(requests):
        async with httpx.AsyncClient() as client:
            answer = await client.get(url)
            seen[answer.text if answer.is_success else str(answer.status_code)] += 1
    return seen


async def test_parts_can_be_made_one_by_one(api, sites):
    """Load balancer, listener, pool with `listener_id`, member, monitor: each POST is 201, and then it serves."""
    balancer = await api.create()
    listener = await api.accepted(
        "POST", "/listeners", {"listener": listener_body(loadbalancer_id=balancer["id"], name="web")}
    )
    pool = await api.accepted("POST", "/pools", {"pool": pool_body(listener_id=listener["id"])})
    await api.accepted("POST", f"/pools/{pool['id']}/members", {"member": members(sites)[0]})
    monitor = {"pool_id": pool["id"], "type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1}
    await api.accepted("POST", "/healthmonitors", {"healthmonitor": monitor})

    url = f"http://{balancer['vip_address']}:{listener['protocol_port']}/"
    assert set(await answers(url, 2)) == {sites[0].endpoint.address}
    assert (await api.get(f"/listeners/{listener['id']}"))["listener"]["default_pool_id"] == pool["id"]
    shown = (await api.get(f"/loadbalancers/{balancer['id']}"))["loadbalancer"]
    assert (shown["listeners"], shown["pools"]) == ([{"id": listener["id"]}], [{"id": pool["id"]}])


async def test_a_listener_has_exactly_the_documented_attributes(api):
    """A listener is shown with what the service shows, and its documented defaults (ListenerResponse)."""
    made = await api.create(listeners=[listener_body()])
    shown = (await api.get(f"/listeners/{made['listeners'][0]['id']}"))["listener"]

    assert set(shown) == {
        *("id", "name", "description", "provisioning_status", "operating_status", "admin_state_up", "protocol"),
        *("protocol_port", "connection_limit", "default_tls_container_ref", "sni_container_refs", "project_id"),
        *("default_pool_id", "l7policies", "insert_headers", "created_at", "updated_at", "loadbalancers"),
        *("timeout_client_data", "timeout_member_connect", "timeout_member_data", "timeout_tcp_inspect", "tags"),
        *("client_ca_tls_container_ref", "client_authentication", "client_crl_container_ref", "allowed_cidrs"),
        *("tls_ciphers", "tls_versions", "alpn_protocols"),
    }
    timeouts = ("timeout_client_data", "timeout_member_connect", "timeout_member_data", "timeout_tcp_inspect")
    assert [shown[name] for name in timeouts] == [50_000, 5_000, 50_000, 0]
    assert shown["connection_limit"] == -1


async def test_a_pool_has_exactly_the_documented_attributes(api):
    """A pool is shown with what the service shows (PoolResponse)."""
    made = await api.create(pools=[pool_body(name="p", session_persistence={"type": "HTTP_COOKIE"})])
    shown = (await api.get(f"/pools/{made['pools'][0]['id']}"))["pool"]

    assert set(shown) == {
        *("id", "name", "description", "provisioning_status", "operating_status", "admin_state_up", "protocol"),
        *("lb_algorithm", "session_persistence", "project_id", "loadbalancers", "listeners", "created_at"),
        *("updated_at", "healthmonitor_id", "members", "tags", "tls_container_ref", "ca_tls_container_ref"),
        *("crl_container_ref", "tls_enabled", "tls_ciphers", "tls_versions", "alpn_protocols"),
    }
    assert shown["session_persistence"]["type"] == "HTTP_COOKIE"
    assert shown["operating_status"] == "OFFLINE"


@pytest.mark.parametrize("protocol", ["TCP", "HTTPS"])
async def test_bytes_are_passed_through(api, sites, protocol):
    """TCP and HTTPS listeners pass bytes through, whatever they are."""
    described = {"name": "p", "protocol": protocol, "lb_algorithm": "SOURCE_IP", "members": members(sites)}
    made = await api.create(listeners=[listener_body(protocol=protocol, default_pool=described)])

    assert len(await answers(site(made))) == 1  # one source address, one member


async def test_a_port_is_taken_once(api):
    """A second listener on a port is 409, and a free port is not (DuplicateListenerEntry)."""
    made = await api.create(listeners=[listener_body(protocol_port=80)])
    again = {"listener": listener_body(protocol_port=80, protocol="TCP", loadbalancer_id=made["id"])}

    assert await api.refused("POST", "/listeners", again) == (
        409,
        "Another Listener on this Load Balancer is already using protocol TCP and protocol_port 80",
    )


@pytest.mark.parametrize(
    ("attributes", "code", "says"),
    [
        ({"default_pool_id": "nowhere"}, 404, "Pool nowhere not found."),
        ({"loadbalancer_id": "nowhere"}, 404, "Load Balancer nowhere not found."),
        ({"protocol": "UDP"}, 501, "protocol UDP"),
        ({"protocol_port": 65536}, 400, "protocol_port. Value: '65536'"),
        ({"connection_limit": 10}, 501, "connection_limit 10"),
        ({"insert_headers": {"X-SSL-Client-CN": "true"}}, 501, "insert_headers X-SSL-Client-CN"),
        ({"timeout_client_data": -1}, 400, "timeout_client_data. Value: '-1'"),
    ],
)
async def test_bad_listeners_are_refused(api, attributes, code, says):
    """A listener that cannot be is 400 or 404; one that Envoy could not serve as asked is 501."""
    made = await api.create()
    body = {"listener": {**listener_body(loadbalancer_id=made["id"]), **attributes}}
    answer = await api.refused("POST", "/listeners", body)

    assert answer[0] == code
    assert says in answer[1]


async def test_a_pool_has_to_fit_its_listener(api):
    """An HTTP listener has no TCP pool (Octavia api-ref, protocol combinations)."""
    made = await api.create(listeners=[listener_body()])
    body = {"pool": pool_body(protocol="TCP", listener_id=made["listeners"][0]["id"])}

    assert await api.refused("POST", "/pools", body) == (
        400,
        "Validation failure: The pool protocol 'TCP' is invalid while the listener protocol is 'HTTP'.",
    )


async def test_a_listener_has_one_default_pool(api):
    """A second pool with the same `listener_id` is 409; a pool for nothing at all is 400."""
    made = await api.create_web()
    body = {"pool": pool_body(listener_id=made["listeners"][0]["id"])}

    assert await api.refused("POST", "/pools", body) == (409, "This listener already has a default pool")
    assert (await api.refused("POST", "/pools", {"pool": pool_body()}))[0] == 400


async def test_a_listener_can_be_given_another_pool(api, sites):
    """`default_pool_id` moves all requests from one pool to another at once, and null takes the pool away."""
    pools = [pool_body(name=str(number), members=[each]) for number, each in enumerate(members(sites))]
    made = await api.create(pools=pools, listeners=[listener_body(default_pool={"name": "0"})])
    path = f"/listeners/{made['listeners'][0]['id']}"
    assert set(await answers(site(made))) == {sites[0].endpoint.address}

    await api.accepted("PUT", path, {"listener": {"default_pool_id": made["pools"][1]["id"]}})
    assert set(await answers(site(made))) == {sites[1].endpoint.address}
    await api.accepted("PUT", path, {"listener": {"default_pool_id": None}})
    assert set(await answers(site(made))) == {"503"}


async def test_a_pool_leaves_its_listener_without_one(api, sites):
    """A deleted pool takes members and monitor along; the listener stays and answers 503."""
    monitor = {"type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1}
    made = await api.create_web(*members(sites), healthmonitor=monitor)
    await api.accepted("DELETE", f"/pools/{made['pools'][0]['id']}")

    assert set(await answers(site(made), 1)) == {"503"}
    assert (await api.get("/healthmonitors"))["healthmonitors"] == []
    assert (await api.get("/listeners"))["listeners"][0]["default_pool_id"] is None


async def test_a_deleted_listener_listens_no_more(api, sites):
    """A deleted listener frees its port; its pool stays for another one."""
    made = await api.create_web(*members(sites))
    await api.accepted("DELETE", f"/listeners/{made['listeners'][0]['id']}")

    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(site(made))
    assert len((await api.get("/pools"))["pools"]) == 1


@pytest.mark.parametrize("persistence", ["HTTP_COOKIE", "SOURCE_IP"])
async def test_persistence_keeps_a_client_on_one_member(api, sites, persistence):
    """With session persistence a client that comes back reaches the same member; null ends it."""
    made = await api.create_web(*members(sites), session_persistence={"type": persistence})
    async with httpx.AsyncClient() as client:  # it keeps cookies
        kept = {(await client.get(site(made), headers={"Connection": "close"})).text for _ in range(8)}
    assert len(kept) == 1

    await api.accepted("PUT", f"/pools/{made['pools'][0]['id']}", {"pool": {"session_persistence": None}})
    assert set(await answers(site(made))) == {each.endpoint.address for each in sites}


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"session_persistence": {"type": "APP_COOKIE", "cookie_name": "id"}}, "cookie_name 'id'"),
        ({"session_persistence": {"type": "APP_COOKIE"}}, "type APP_COOKIE"),
        ({"protocol": "PROXY"}, "protocol PROXY"),
        (
            {"protocol": "TCP", "session_persistence": {"type": "HTTP_COOKIE"}},
            "session persistence HTTP_COOKIE in a pool of protocol TCP",
        ),
        ({"tls_enabled": True}, "tls_enabled True"),
    ],
)
async def test_pools_that_envoy_could_not_serve_are_refused(api, attributes, says):
    """What the service knows and this cloud cannot do is 501, like an option that a provider lacks."""
    made = await api.create()
    answer = await api.refused("POST", "/pools", {"pool": {**pool_body(loadbalancer_id=made["id"]), **attributes}})

    assert answer == (501, f"Provider 'amphora' does not support a requested option: {says}")
