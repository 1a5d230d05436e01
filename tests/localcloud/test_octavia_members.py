"""Members of Octavia's pools, and what each setting does to real traffic (Octavia api-ref, members)."""

import asyncio

import httpx
import pytest

from tests.localcloud.octavia_api import octavia, pool_body, site
from tests.localcloud.traffic import NODE_PORT, Site, eventually

pytestmark = pytest.mark.anyio

MONITOR = {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 1, "url_path": "/healthz"}


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
    """Run three app servers."""
    running = [Site(shared.network.private_ips.take()) for _ in range(3)]
    servers = [await asyncio.start_server(each.serve, each.endpoint.address, NODE_PORT) for each in running]
    yield running
    for each, server in zip(running, servers, strict=True):
        each.release.set()
        server.close()


def member(running: Site, **attributes) -> dict:
    """Describe a site as a member."""
    return {"address": running.endpoint.address, "protocol_port": NODE_PORT, **attributes}


async def answers(url: str, requests: int = 12) -> set[str]:
    """Collect who answers, each request on a connection of its own."""
    seen = set()
    for _ in range(requests):
        async with httpx.AsyncClient() as client:
            answer = await client.get(url)
            seen.add(answer.text if answer.is_success else str(answer.status_code))
    return seen


def statuses(shown: dict) -> dict[str, str]:
    """Tell the operating status of members by their address."""
    return {each["address"]: each["operating_status"] for each in shown["members"]}


async def test_a_member_has_exactly_the_documented_attributes(api):
    """A member is shown with what the service shows, and its defaults are weight 1, up, no backup (MemberResponse)."""
    balancer = await api.create_web()
    pool = balancer["pools"][0]["id"]
    made = await api.accepted("POST", f"/pools/{pool}/members", {"member": api.member()})
    shown = (await api.get(f"/pools/{pool}/members/{made['id']}"))["member"]

    assert set(shown) == {
        *("id", "name", "operating_status", "provisioning_status", "admin_state_up", "address", "protocol_port"),
        *("weight", "backup", "subnet_id", "project_id", "created_at", "updated_at"),
        *("monitor_address", "monitor_port", "tags", "vnic_type"),
    }
    assert (shown["weight"], shown["admin_state_up"], shown["backup"], shown["updated_at"]) == (1, True, False, None)


async def test_members_serve_as_soon_as_they_are_active(api, sites):
    """POST is 201; ACTIVE means that Envoy sends requests there, and without a monitor the status is NO_MONITOR."""
    balancer = await api.create_web()
    pool = balancer["pools"][0]["id"]
    assert await answers(site(balancer), 1) == {"503"}

    answer = await api.http.post(f"/pools/{pool}/members", json={"member": member(sites[0])})
    assert (answer.status_code, answer.json()["member"]["provisioning_status"]) == (201, "PENDING_CREATE")
    await api.all_settled()
    assert await answers(site(balancer), 2) == {sites[0].endpoint.address}
    assert statuses(await api.get(f"/pools/{pool}/members")) == {sites[0].endpoint.address: "NO_MONITOR"}


async def test_weight_zero_drains(api, sites):
    """At weight 0 a member is DRAINING: it finishes what it has and gets nothing new."""
    balancer = await api.create_web(member(sites[0]))
    pool, first = balancer["pools"][0]["id"], balancer["pools"][0]["members"][0]["id"]
    async with httpx.AsyncClient(timeout=10) as client:
        slow = asyncio.create_task(client.get(site(balancer, "/hold")))
        await asyncio.wait_for(sites[0].held.wait(), 5)
        await api.accepted("POST", f"/pools/{pool}/members", {"member": member(sites[1])})
        await api.accepted("PUT", f"/pools/{pool}/members/{first}", {"member": {"weight": 0}})

        assert await answers(site(balancer)) == {sites[1].endpoint.address}
        assert statuses(await api.get(f"/pools/{pool}/members"))[sites[0].endpoint.address] == "DRAINING"
        sites[0].release.set()
        assert (await slow).text == sites[0].endpoint.address


async def test_admin_state_down_cuts_at_once(api, sites):
    """With admin_state_up false a member is OFFLINE and its established connections end."""
    balancer = await api.create_web(member(sites[0]))
    pool, first = balancer["pools"][0]["id"], balancer["pools"][0]["members"][0]["id"]
    async with httpx.AsyncClient(timeout=10) as client:
        slow = asyncio.create_task(client.get(site(balancer, "/hold")))
        await asyncio.wait_for(sites[0].held.wait(), 5)
        await api.accepted("PUT", f"/pools/{pool}/members/{first}", {"member": {"admin_state_up": False}})

        assert (await slow).status_code == 503
    assert statuses(await api.get(f"/pools/{pool}/members")) == {sites[0].endpoint.address: "OFFLINE"}


async def test_backup_members_serve_when_no_other_can(api, sites):
    """A backup member gets requests only while every other member is out."""
    balancer = await api.create_web(member(sites[0]), member(sites[1], backup=True))
    pool, first = balancer["pools"][0]["id"], balancer["pools"][0]["members"][0]["id"]
    assert await answers(site(balancer)) == {sites[0].endpoint.address}

    await api.accepted("PUT", f"/pools/{pool}/members/{first}", {"member": {"admin_state_up": False}})
    assert await answers(site(balancer)) == {sites[1].endpoint.address}


async def test_a_health_monitor_tells_good_from_bad(api, sites):
    """With a monitor a member is ONLINE, or ERROR when its checks fail, and the pool is DEGRADED, or ERROR with it."""
    balancer = await api.create_web(member(sites[0]), member(sites[1]), healthmonitor=MONITOR)
    pool = balancer["pools"][0]["id"]
    first, second = (each.endpoint.address for each in sites[:2])
    assert statuses(await api.get(f"/pools/{pool}/members")) == {first: "ONLINE", second: "ONLINE"}

    sites[0].status = 500

    async def noticed() -> bool:
        return statuses(await api.get(f"/pools/{pool}/members")) == {first: "ERROR", second: "ONLINE"}

    await eventually(noticed)
    assert (await api.get(f"/pools/{pool}"))["pool"]["operating_status"] == "DEGRADED"
    assert (await api.get(f"/loadbalancers/{balancer['id']}"))["loadbalancer"]["operating_status"] == "DEGRADED"
    assert await answers(site(balancer)) == {second}


async def test_a_batch_replaces_all_members(api, sites):
    """A batch PUT is 202 without a body; members that it does not list are deleted."""
    balancer = await api.create_web(member(sites[0]), member(sites[1]))
    pool = balancer["pools"][0]["id"]
    answer = await api.http.put(
        f"/pools/{pool}/members", json={"members": [member(sites[1]), member(sites[2], name="new")]}
    )
    assert (answer.status_code, answer.content) == (202, b"")
    pending = {
        each["address"]: each["provisioning_status"] for each in (await api.get(f"/pools/{pool}/members"))["members"]
    }
    assert pending == {
        sites[0].endpoint.address: "PENDING_DELETE",
        sites[1].endpoint.address: "PENDING_UPDATE",
        sites[2].endpoint.address: "PENDING_CREATE",
    }

    await api.all_settled()
    assert await answers(site(balancer)) == {sites[1].endpoint.address, sites[2].endpoint.address}


async def test_trap_32_a_batch_resets_what_it_does_not_say(api, sites):
    """An additive batch (v2.11) keeps the others, but a listed member without weight is back at 1; its name stays."""
    balancer = await api.create_web(member(sites[0], weight=0, name="old", backup=True), member(sites[1]))
    pool = balancer["pools"][0]["id"]
    body = {"members": [member(sites[0]), member(sites[2])]}
    await api.accepted("PUT", f"/pools/{pool}/members", body, params={"additive_only": "true"})

    shown = (await api.get(f"/pools/{pool}/members"))["members"]
    assert {each["address"] for each in shown} == {each.endpoint.address for each in sites}
    [old] = [each for each in shown if each["address"] == sites[0].endpoint.address]
    assert (old["weight"], old["backup"], old["name"]) == (1, False, "old")


async def test_a_batch_changes_nothing_when_one_member_is_bad(api, sites):
    """A batch with a bad member, or one listed twice, is refused as a whole."""
    balancer = await api.create_web(member(sites[0]))
    pool = balancer["pools"][0]["id"]
    bad = {"members": [member(sites[1]), member(sites[2], weight=257)]}
    twice = {"members": [member(sites[1]), member(sites[1])]}

    assert await api.refused("PUT", f"/pools/{pool}/members", bad) == (
        400,
        "Invalid input for field/attribute weight. Value: '257'. Input should be less than or equal to 256",
    )
    assert (await api.refused("PUT", f"/pools/{pool}/members", twice))[0] == 409
    assert statuses(await api.get(f"/pools/{pool}/members")) == {sites[0].endpoint.address: "NO_MONITOR"}


async def test_a_member_is_there_once(api, sites):
    """A second member with address and port of another is 409 (DuplicateMemberEntry)."""
    balancer = await api.create_web(member(sites[0]))
    pool = balancer["pools"][0]["id"]
    address = sites[0].endpoint.address

    assert await api.refused("POST", f"/pools/{pool}/members", {"member": member(sites[0])}) == (
        409,
        f"Another member on this pool is already using ip {address} on protocol_port {NODE_PORT}",
    )


@pytest.mark.parametrize(
    ("attributes", "code", "says"),
    [
        ({"address": "192.0.2.1"}, 400, "outside 127.0.0.0/8"),
        ({"address": "nowhere"}, 400, "attribute address. Value: 'nowhere'"),
        ({"protocol_port": 0}, 400, "attribute protocol_port. Value: '0'"),
        ({"protocol_port": None}, 400, "attribute protocol_port. Value: 'None'. Mandatory field missing."),
        ({"colour": "red"}, 400, "Unknown attribute: colour"),
        ({"subnet_id": "nowhere"}, 404, "Subnet nowhere not found."),
        ({"monitor_port": 9000}, 501, "does not support a requested option: monitor_port 9000"),
    ],
)
async def test_bad_members_are_refused(api, attributes, code, says):
    """A bad value is 400 and names the attribute; what the proxy cannot do is 501, never silently forgotten."""
    balancer = await api.create_web()
    pool = balancer["pools"][0]["id"]
    answer = await api.refused("POST", f"/pools/{pool}/members", {"member": api.member() | attributes})

    assert answer[0] == code
    assert says in answer[1]


@pytest.mark.parametrize("attribute", ["address", "protocol_port", "subnet_id"])
async def test_a_member_stays_where_it_is(api, attribute):
    """Address, port and subnet cannot be changed (MemberPUT has no such attribute)."""
    balancer = await api.create_web(api.member())
    pool, first = balancer["pools"][0]["id"], balancer["pools"][0]["members"][0]["id"]

    refusal = await api.refused("PUT", f"/pools/{pool}/members/{first}", {"member": {attribute: "127.0.0.1"}})
    assert refusal == (400, f"Unknown attribute: {attribute}")


async def test_null_is_the_default(api):
    """In an update null puts a weight back to 1 and a name back to nothing (_set_default_on_none)."""
    balancer = await api.create_web(api.member(weight=7, name="seven"))
    pool, first = balancer["pools"][0]["id"], balancer["pools"][0]["members"][0]["id"]
    path = f"/pools/{pool}/members/{first}"
    await api.accepted("PUT", path, {"member": {"weight": None, "name": None}})

    shown = (await api.get(path))["member"]
    assert (shown["weight"], shown["name"]) == (1, "")
    assert shown["updated_at"] is not None


async def test_a_removed_member_is_gone(api, sites):
    """DELETE is 204, PENDING_DELETE at first, and then 404."""
    balancer = await api.create_web(member(sites[0]), member(sites[1]))
    pool, first = balancer["pools"][0]["id"], balancer["pools"][0]["members"][0]["id"]
    path = f"/pools/{pool}/members/{first}"
    answer = await api.http.delete(path)
    assert answer.status_code == 204
    await api.all_settled()

    assert await api.refused("GET", path) == (404, f"Member {first} not found.")
    assert await answers(site(balancer)) == {sites[1].endpoint.address}


async def test_weights_share_out_requests(api, sites):
    """Weights count in ROUND_ROBIN: three to one (Octavia api-ref, weight)."""
    balancer = await api.create_web(member(sites[0], weight=30), member(sites[1], weight=10))
    async with httpx.AsyncClient() as client:
        got = [(await client.get(site(balancer))).text for _ in range(40)]

    assert 27 <= got.count(sites[0].endpoint.address) <= 33


async def test_a_pool_of_two_listeners_serves_both(api, sites):
    """Two listeners may name the same pool: one virtual IP, two ports, the same members."""
    described = {"name": "pool", **pool_body(members=[member(sites[0])])}
    listeners = [{"protocol": "HTTP", "protocol_port": port, "default_pool": {"name": "pool"}} for port in (8080, 8443)]
    balancer = await api.create(pools=[described], listeners=listeners)

    for port in (8080, 8443):
        assert await answers(f"http://{balancer['vip_address']}:{port}/", 1) == {sites[0].endpoint.address}
