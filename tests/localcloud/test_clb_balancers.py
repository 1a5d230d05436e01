"""Load balancers in Cloud Load Balancers v1.0: made, shown, listed, changed, deleted."""

import asyncio
import contextlib
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.localcloud.clb_api import balancer_body, clb

pytestmark = pytest.mark.anyio

IDENTITY = {"id", "name", "status"}
SUMMARY = {*IDENTITY, "protocol", "port", "algorithm", "virtualIps", "nodeCount", "timeout", "created", "updated"}
WHOLE = (SUMMARY - {"nodeCount"}) | {"cluster", "connectionLogging", "halfClosed", "sourceAddresses"}
VIRTUAL_IP = {"id", "address", "type", "ipVersion"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def api(tmp_path_factory):
    """Run the service, changes taking no longer than Envoy does."""
    async with clb(tmp_path_factory.mktemp("clb")) as running:
        yield running


@pytest.fixture(autouse=True)
async def _room(api):
    """Leave no load balancer behind: the account may have 25."""
    yield
    await api.clear()


async def test_a_new_balancer_has_the_documented_fields(api):
    """POST answers 202 with the object in BUILD, its defaults filled in (CLB docs, create load balancer)."""
    body = balancer_body(port=8123, nodes=[api.node()])
    answer = await api.http.post("", json={"loadBalancer": body})
    created = answer.json()["loadBalancer"]

    assert answer.status_code == 202
    assert set(created) == {*WHOLE, "nodes"}
    assert set(created["nodes"][0]) == {"id", "address", "port", "condition", "status", "weight"}
    assert set(created["virtualIps"][0]) == VIRTUAL_IP
    assert (created["status"], created["algorithm"], created["timeout"]) == ("BUILD", "RANDOM", 30)
    assert (created["nodes"][0]["weight"], created["nodes"][0]["status"]) == (1, "ONLINE")
    assert TIME.fullmatch(created["created"]["time"])
    assert await api.settled(created["id"]) == "ACTIVE"


async def test_details_have_the_documented_fields(api):
    """GET shows nodes and whatever is configured; without nodes the key is absent (CLB docs, show details)."""
    bare = await api.details((await api.create())["id"])
    full = await api.details(
        (
            await api.create(
                nodes=[api.node()],
                algorithm="WEIGHTED_ROUND_ROBIN",
                healthMonitor={"type": "CONNECT", "delay": 10, "timeout": 5, "attemptsBeforeDeactivation": 2},
                sessionPersistence={"persistenceType": "HTTP_COOKIE"},
            )
        )["id"]
    )

    assert set(bare) == WHOLE
    assert set(full) == {*WHOLE, "nodes", "healthMonitor", "sessionPersistence"}
    assert set(full["nodes"][0]) == {"id", "address", "port", "condition", "status", "weight"}
    assert set(full["sourceAddresses"]) == {"ipv6Public", "ipv4Servicenet", "ipv4Public"}


async def test_the_list_has_the_documented_fields(api):
    """The list has no nodes, only their count (CLB docs, list load balancers)."""
    await api.create(nodes=[api.node(), api.node()])
    [listed] = (await api.http.get("")).json()["loadBalancers"]

    assert set(listed) == SUMMARY
    assert listed["nodeCount"] == 2


async def test_the_list_by_node_address_says_who_only(api):
    """`?nodeaddress=` finds load balancers by a node, and shows id, name and status."""
    node = api.node()
    await api.create()
    wanted = await api.create(nodes=[node])
    found = (await api.http.get("", params={"nodeaddress": node["address"]})).json()["loadBalancers"]

    assert found == [{"id": wanted["id"], "name": "web", "status": "ACTIVE"}]


async def test_the_list_is_filtered_by_name_status_and_change(api):
    """`name`, `status` and `changes-since` narrow the list; other parameters are ignored."""
    await api.create(name="one")
    two = await api.create(name="two")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    assert await names(api, name="two") == ["two"]
    assert await names(api, status="ACTIVE", **{"cache-busting": "1"}) == ["one", "two"]
    assert await names(api, status="ERROR") == []
    assert await names(api, **{"changes-since": two["created"]["time"]}) == ["one", "two"]
    assert await names(api, **{"changes-since": later}) == []
    assert (await api.http.get("", params={"changes-since": "yesterday"})).status_code == 400


async def test_the_list_comes_in_pages(api):
    """`marker` is the id at which a page begins, `limit` its length, `offset` how many are skipped."""
    first, second, third = [await api.create(name=name) for name in ("a", "b", "c")]

    assert await names(api, limit=2) == ["a", "b"]
    assert await names(api, marker=second["id"]) == ["b", "c"]
    assert await names(api, marker=first["id"], offset=1, limit=1) == ["b"]
    assert await names(api, marker=third["id"] + 1000) == []
    assert await names(api, limit=1000) == ["a", "b", "c"]


async def names(api, **query) -> list[str]:
    """List names."""
    return [balancer["name"] for balancer in (await api.http.get("", params=query)).json()["loadBalancers"]]


async def test_two_balancers_share_a_virtual_ip_on_different_ports(api):
    """A second load balancer takes the first one's virtual IP by its id (CLB docs, virtual-ips)."""
    first = await api.create()
    vip = first["virtualIps"][0]
    second = await api.create(virtualIps=[{"id": vip["id"]}])

    assert second["virtualIps"] == [vip]
    assert (await api.http.get(f"/{second['id']}/virtualips")).json() == {"virtualIps": [vip]}


async def test_a_balancer_is_changed(api):
    """PUT answers 202 without a body, and what was not mentioned stays (CLB docs, update load balancer)."""
    balancer_id, _ = await api.create_with_nodes(1)
    before = await api.details(balancer_id)
    change = {"name": "new", "algorithm": "ROUND_ROBIN", "port": 8125, "timeout": 60}
    answer = await api.accepted("PUT", f"/{balancer_id}", json={"loadBalancer": change})

    assert answer.content == b""
    assert await api.details(balancer_id) == {
        **before,
        **change,
        "updated": (await api.details(balancer_id))["updated"],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "The load balancer must have at least one of the following to update: name,"),
        (
            {"nodes": [{"id": 1}]},
            "Please visit {account id}/loadbalancers/{load balancer id}/nodes to configure nodes.",
        ),
        ({"id": 7}, "Load balancer id field cannot be modified."),
    ],
)
async def test_a_change_of_something_else_is_400(api, change, message):
    """Nodes, monitor and the like are changed at paths of their own; ids are not changed at all."""
    balancer_id, _ = await api.create_with_nodes(0)
    answer = await api.http.put(f"/{balancer_id}", json={"loadBalancer": change})

    assert answer.status_code == 400
    assert any(problem.startswith(message) for problem in answer.json()["validationErrors"]["messages"])


async def test_another_protocol_ends_session_persistence(api):
    """Another protocol "will disable session persistence" (CLB docs, sessions)."""
    created = await api.create(sessionPersistence={"persistenceType": "SOURCE_IP"})
    await api.accepted("PUT", f"/{created['id']}", json={"protocol": "TCP"})

    assert "sessionPersistence" not in await api.details(created["id"])


async def test_a_deleted_balancer_leaves_a_tombstone(api):
    """DELETED: GET 200 with few fields, below it 410, changes 422, and listed only when asked for."""
    balancer_id, [node_id] = await api.create_with_nodes(1)
    await api.accepted("DELETE", f"/{balancer_id}")
    change = await api.http.put(f"/{balancer_id}/nodes/{node_id}", json={"node": {"condition": "DRAINING"}})

    assert set(await api.details(balancer_id)) == {*IDENTITY, "created", "updated"}
    assert (await api.http.get("")).json() == {"loadBalancers": []}
    assert "web" in await names(api, status="DELETED")
    gone = await api.http.get(f"/{balancer_id}/nodes")
    assert (gone.status_code, gone.json()["message"]) == (410, "The loadbalancer is marked as deleted.")
    assert change.status_code == 422
    assert change.json()["message"] == "The load balancer is deleted and considered immutable."


async def test_balancers_are_deleted_together_or_not_at_all(api):
    """Bulk DELETE takes up to 10 ids; one that is unknown stops it for all, with 400 (CLB docs, bulk-delete)."""
    ids = [(await api.create())["id"] for _ in range(2)]
    refused = await api.http.delete("", params={"id": [*ids, 999_999]})
    accepted = await api.http.delete("", params={"id": ids})

    assert refused.status_code == 400
    assert refused.json()["message"] == "Must provide valid load balancers: 999999  could not be found."
    assert accepted.status_code == 202
    assert [await api.settled(each) for each in ids] == ["DELETED", "DELETED"]


async def test_a_bulk_delete_needs_ids_and_not_too_many(api):
    """No id, or more than 10, is 400."""
    none = await api.http.delete("")
    many = await api.http.delete("", params={"id": list(range(11))})

    assert (none.status_code, none.json()["message"]) == (400, "Must supply one or more id's to process this request.")
    assert many.json()["message"].startswith("Currently, the limit of accepted parameters is: 10")


async def test_an_unknown_balancer_is_404(api):
    """What never existed is not found."""
    answer = await api.http.get("/999999")

    assert (answer.status_code, answer.json()) == (404, {"message": "Load balancer not found", "code": 404})


async def test_a_balancer_that_envoy_refuses_is_in_error(api):
    """When the asynchronous step fails the load balancer goes to ERROR, and cannot be changed or deleted then."""
    first = await api.create()
    second = await api.create(virtualIps=[{"id": first["virtualIps"][0]["id"]}])
    taken = {"address": first["virtualIps"][0]["address"], "port": 8199}
    async with listening(**taken):
        await api.accepted("PUT", f"/{second['id']}", json={"port": taken["port"]})

    assert (await api.details(second["id"]))["status"] == "ERROR"
    change = await api.http.put(f"/{second['id']}", json={"name": "x"})
    assert change.status_code == 422
    assert "has a status of 'ERROR' and is considered immutable" in change.json()["message"]
    assert (await api.http.delete(f"/{second['id']}")).status_code == 400


@contextlib.asynccontextmanager
async def listening(address: str, port: int):
    """Occupy an address."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), address, port)
    yield
    server.close()


async def test_algorithms_protocols_and_limits_are_listed(api):
    """The read-only lists have the documented shape (CLB docs, algorithms, protocols, limits)."""
    algorithms = (await api.http.get("/algorithms")).json()["algorithms"]
    protocols = (await api.http.get("/protocols")).json()["protocols"]
    limits = (await api.http.get("/absolutelimits")).json()["absolute"]

    assert {"name": "WEIGHTED_LEAST_CONNECTIONS"} in algorithms
    assert {"name": "HTTPS", "port": 443} in protocols
    assert {"name": "NODE_LIMIT", "value": 25} in limits
    assert {"name": "BATCH_DELETE_LIMIT", "value": 10} in limits


async def test_statistics_are_flat_numbers(api):
    """Statistics are one flat object, plain and Ssl (CLB docs, stats)."""
    balancer_id, _ = await api.create_with_nodes(1)
    stats = (await api.http.get(f"/{balancer_id}/stats")).json()
    plain = ["connectTimeOut", "connectError", "connectFailure", "dataTimedOut", "keepAliveTimedOut"]

    assert set(stats) == {f"{name}{ssl}" for name in [*plain, "maxConn", "currentConn"] for ssl in ("", "Ssl")}
    assert all(isinstance(value, int) for value in stats.values())


async def test_a_method_that_a_path_does_not_have_is_405(api):
    """PATCH is not part of the API."""
    assert (await api.http.patch("/1")).status_code == 405
