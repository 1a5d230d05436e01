"""Health monitors of Octavia's pools (Octavia api-ref, health monitors)."""

import asyncio

import pytest

from tests.localcloud.octavia_api import octavia
from tests.localcloud.traffic import NODE_PORT, Site, eventually

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


async def test_a_monitor_asks_what_it_is_told_to_ask(api, sites):
    """Method, path and domain of an HTTP monitor reach the member."""
    monitor = {
        "type": "HTTP",
        "delay": 1,
        "timeout": 1,
        "max_retries": 1,
        "http_method": "HEAD",
        "url_path": "/healthz",
        "domain_name": "guestbook.example",
    }
    await api.create_web(members(sites)[0], healthmonitor=monitor)

    assert any(
        head.startswith("HEAD /healthz ") and "host: guestbook.example" in head.lower() for head in sites[0].requests
    )


async def test_expected_codes_decide(api, sites):
    """`expected_codes` is one code, a list or a range; a changed monitor judges anew."""
    monitor = {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 1}
    sites[0].status = 201
    made = await api.create_web(members(sites)[0], healthmonitor={**monitor, "expected_codes": "200,202"})
    members_path, pool = f"/pools/{made['pools'][0]['id']}/members", made["pools"][0]
    assert (await api.get(members_path))["members"][0]["operating_status"] == "ERROR"

    path = f"/healthmonitors/{pool['healthmonitor']['id']}"
    await api.accepted("PUT", path, {"healthmonitor": {"expected_codes": "200-204"}})

    async def online() -> bool:
        return bool((await api.get(members_path))["members"][0]["operating_status"] == "ONLINE")

    await eventually(online)


async def test_a_pool_has_one_monitor_and_can_lose_it(api, sites):
    """A second monitor is 409; without one members are NO_MONITOR again."""
    monitor = {"type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1}
    made = await api.create_web(members(sites)[0], healthmonitor=monitor)
    pool = made["pools"][0]
    again = {"healthmonitor": {**monitor, "pool_id": pool["id"]}}
    assert await api.refused("POST", "/healthmonitors", again) == (409, "This pool already has a health monitor")

    await api.accepted("DELETE", f"/healthmonitors/{pool['healthmonitor']['id']}")
    shown = (await api.get(f"/pools/{pool['id']}/members"))["members"]
    assert [each["operating_status"] for each in shown] == ["NO_MONITOR"]


@pytest.mark.parametrize(
    ("attributes", "code", "says"),
    [
        ({"type": "PING"}, 501, "type PING"),
        ({"type": "NONSENSE"}, 400, "attribute type. Value: 'NONSENSE'"),
        ({"url_path": "/healthz"}, 400, "url_path is not a valid option for health monitors of type TCP"),
        ({"max_retries": 11}, 400, "max_retries. Value: '11'"),
        ({"pool_id": "nowhere"}, 404, "Pool nowhere not found."),
        ({"type": "HTTP", "expected_codes": "2xx"}, 400, "expected_codes. Value: '2xx'"),
        ({"type": "HTTP", "expected_codes": "204-200"}, 400, "expected_codes. Value: '204-200'. Codes are 100 to 599"),
        ({"type": "HTTP", "expected_codes": "700"}, 400, "Codes are 100 to 599"),
        ({"type": "HTTP", "http_method": "CONNECT"}, 501, "http_method CONNECT"),
        ({"type": "HTTP", "url_path": "healthz"}, 400, "url_path. Value: 'healthz'"),
    ],
)
async def test_bad_monitors_are_refused(api, attributes, code, says):
    """A monitor that makes no sense is 400; a type that Envoy cannot probe with is 501."""
    made = await api.create_web()
    monitor = {"type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1, "pool_id": made["pools"][0]["id"]}
    answer = await api.refused("POST", "/healthmonitors", {"healthmonitor": {**monitor, **attributes}})

    assert answer[0] == code
    assert says in answer[1]


async def test_a_monitor_has_exactly_the_documented_attributes(api):
    """A health monitor is shown with what the service shows (HealthMonitorResponse)."""
    made = await api.create_web(healthmonitor={"type": "HTTP", "delay": 5, "timeout": 2, "max_retries": 2})
    shown = (await api.get("/healthmonitors", pool_id=made["pools"][0]["id"]))["healthmonitors"][0]

    assert set(shown) == {
        *("id", "name", "type", "delay", "timeout", "max_retries", "max_retries_down", "http_method", "url_path"),
        *("expected_codes", "admin_state_up", "project_id", "pools", "provisioning_status", "operating_status"),
        *("created_at", "updated_at", "tags", "http_version", "domain_name"),
    }
    assert (shown["http_method"], shown["url_path"], shown["expected_codes"]) == ("GET", "/", "200")
    assert shown["max_retries_down"] == 3
