"""Nodes in Cloud Load Balancers v1.0: added, shown, changed and removed; what is refused, and in which words."""

import pytest

from tests.localcloud.clb_api import clb

pytestmark = pytest.mark.anyio

NODE = {"id", "address", "port", "condition", "status", "type"}
MONITOR = {"type": "CONNECT", "delay": 10, "timeout": 5, "attemptsBeforeDeactivation": 2}


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


def problems(answer) -> list[str]:
    """List what a validation failure names."""
    assert answer.status_code == 400
    return answer.json()["validationErrors"]["messages"]


async def test_nodes_are_added_together(api):
    """POST takes a list, answers 202 with it, ids, status and default weight included (CLB docs, add nodes)."""
    balancer_id, _ = await api.create_with_nodes(0)
    bodies = [api.node(), api.node(condition="DRAINING", weight=7)]
    added = (await api.accepted("POST", f"/{balancer_id}/nodes", json={"nodes": bodies})).json()["nodes"]

    assert [set(node) for node in added] == [{*NODE, "weight"}] * 2
    assert [node["weight"] for node in added] == [1, 7]
    assert [node["status"] for node in added] == ["ONLINE", "ONLINE"]
    assert [node["id"] for node in await api.nodes(balancer_id)] == [node["id"] for node in added]


@pytest.mark.parametrize(("algorithm", "shown"), [("RANDOM", NODE), ("WEIGHTED_LEAST_CONNECTIONS", {*NODE, "weight"})])
async def test_weights_are_shown_where_they_count(api, algorithm, shown):
    """A node's weight is shown with a weighted algorithm only (CLB docs, list nodes)."""
    balancer_id, [node_id] = await api.create_with_nodes(1, algorithm=algorithm)
    [listed] = await api.nodes(balancer_id)
    single = (await api.http.get(f"/{balancer_id}/nodes/{node_id}")).json()

    assert set(listed) == shown
    assert single == {"node": listed}


async def test_nodes_come_in_pages(api):
    """`marker` and `limit` hold for nodes too."""
    balancer_id, ids = await api.create_with_nodes(3)
    answer = await api.http.get(f"/{balancer_id}/nodes", params={"marker": ids[1], "limit": 1})

    assert [node["id"] for node in answer.json()["nodes"]] == [ids[1]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"address": None}, "Must provide a valid ip for the node."),
        ({"port": None}, "Must provide a valid port for the node."),
        ({"condition": None}, "Must provide a valid condition for the node."),
        ({"address": "web1.example.com"}, "Node ip is invalid. Please specify a valid ip."),
        ({"port": 0}, "Node port is invalid. Please specify a valid port."),
        ({"condition": "ASLEEP"}, "Node condition is invalid. Please specify a valid condition."),
        ({"weight": 101}, "Node weight is invalid. Range is 1-100. Please specify a valid weight."),
        ({"weight": 0}, "Node weight is invalid. Range is 1-100. Please specify a valid weight."),
        ({"id": 5}, "Node id field cannot be modified."),
        ({"status": "ONLINE"}, "Node status field cannot be modified."),
    ],
)
async def test_wrong_fields_of_a_new_node_are_named(api, change, message):
    """Address, port and condition are required; every wrong field is named (CLB docs, add nodes)."""
    balancer_id, _ = await api.create_with_nodes(0)
    answer = await api.http.post(f"/{balancer_id}/nodes", json={"nodes": [api.node(**change)]})

    assert problems(answer) == [message]


@pytest.mark.parametrize("address", ["10.1.1.1", "8.8.8.8", "169.254.169.254", "0.0.0.0"])
async def test_only_this_machine_is_balanced_to(api, address):
    """The deliberate difference: 127.0.0.0/8, refused by the service, is all that the local cloud accepts."""
    balancer_id, _ = await api.create_with_nodes(0)
    [problem] = problems(await api.http.post(f"/{balancer_id}/nodes", json={"nodes": [api.node(address=address)]}))

    assert f"{address} is outside 127.0.0.0/8" in problem


async def test_a_node_that_is_there_already_is_422(api):
    """An address and port that the load balancer has refuses the whole call (CLB docs, add nodes)."""
    node = api.node()
    balancer_id = (await api.create(nodes=[node]))["id"]
    answer = await api.http.post(f"/{balancer_id}/nodes", json={"nodes": [api.node(), node]})

    assert answer.status_code == 422
    message = "Duplicate nodes detected. One or more nodes already configured on load balancer."
    assert answer.json()["message"] == message
    assert len(await api.nodes(balancer_id)) == 1


async def test_a_node_twice_in_one_call_is_400(api):
    """Duplicates within a request are a validation failure."""
    balancer_id, _ = await api.create_with_nodes(0)
    answer = await api.http.post(f"/{balancer_id}/nodes", json={"nodes": [api.node(address="127.9.9.9")] * 2})

    assert problems(answer)[0].startswith("Duplicate nodes detected.")


async def test_more_than_25_nodes_are_413(api):
    """NODE_LIMIT: nothing is added (CLB docs, limits)."""
    balancer_id, _ = await api.create_with_nodes(20)
    answer = await api.http.post(f"/{balancer_id}/nodes", json={"nodes": [api.node() for _ in range(6)]})

    expected = {"message": "Nodes must not exceed 25 per load balancer.", "code": 413}
    assert (answer.status_code, answer.json()) == (413, expected)
    assert len(await api.nodes(balancer_id)) == 20


async def test_the_virtual_ip_is_no_node(api):
    """A load balancer does not balance to itself."""
    created = await api.create()
    node = api.node(address=created["virtualIps"][0]["address"])
    answer = await api.http.post(f"/{created['id']}/nodes", json={"nodes": [node]})

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid node address.")


async def test_secondary_nodes_need_a_monitor_and_a_primary_node(api):
    """SECONDARY needs active health monitoring and somebody to stand in for (CLB docs, nodes)."""
    plain, _ = await api.create_with_nodes(1)
    watched, _ = await api.create_with_nodes(0, healthMonitor=MONITOR)
    secondary = {"nodes": [api.node(type="SECONDARY")]}
    unwatched = await api.http.post(f"/{plain}/nodes", json=secondary)
    alone = await api.http.post(f"/{watched}/nodes", json=secondary)

    assert unwatched.json() == {"message": "you must enable health monitoring to use secondary nodes", "code": 400}
    assert alone.json() == {"message": "you must have at least one primary node enabled", "code": 400}


@pytest.mark.parametrize("root", ["node", None])
async def test_a_node_is_changed(api, root):
    """PUT answers 202 without a body; the root name is optional (CLB docs, update node)."""
    balancer_id, [node_id] = await api.create_with_nodes(1, algorithm="WEIGHTED_ROUND_ROBIN")
    change = {"condition": "DRAINING", "weight": 9}
    answer = await api.accepted("PUT", f"/{balancer_id}/nodes/{node_id}", json={root: change} if root else change)
    [node] = await api.nodes(balancer_id)

    assert answer.content == b""
    assert (node["condition"], node["weight"]) == ("DRAINING", 9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"address": "127.9.9.9", "weight": 1}, "Node ip field cannot be modified."),
        ({"port": 81, "weight": 1}, "Port field cannot be modified."),
        ({"id": 5, "weight": 1}, "Node id field cannot be modified."),
        ({"status": "ONLINE", "weight": 1}, "Node status field cannot be modified."),
        ({"weight": 101}, "Node weight is invalid. Range is 1-100. Please specify a valid weight."),
        ({}, "The node must have at least one of the following to update: condition, weight, type."),
    ],
)
async def test_what_cannot_be_changed_of_a_node_is_named(api, change, message):
    """Condition, weight and type can be changed, and nothing else (CLB docs, update node)."""
    balancer_id, [node_id] = await api.create_with_nodes(1)

    assert problems(await api.http.put(f"/{balancer_id}/nodes/{node_id}", json={"node": change})) == [message]


async def test_nodes_are_changed_together(api):
    """PUT on the list changes several nodes in one go and answers with them (CLB docs, update nodes)."""
    balancer_id, ids = await api.create_with_nodes(3)
    change = {"nodes": [{"id": each, "condition": "DRAINING"} for each in ids[:2]]}
    changed = (await api.accepted("PUT", f"/{balancer_id}/nodes", json=change)).json()["nodes"]

    assert [set(node) for node in changed] == [{*NODE, "weight", "metadata"}] * 2
    assert [node["condition"] for node in await api.nodes(balancer_id)] == ["DRAINING", "DRAINING", "ENABLED"]


async def test_changing_an_unknown_node_changes_none(api):
    """An id that the load balancer does not have is 404 for all of a bulk change."""
    balancer_id, [node_id] = await api.create_with_nodes(1)
    change = {"nodes": [{"id": each, "condition": "DRAINING"} for each in (node_id, 999_999)]}
    answer = await api.http.put(f"/{balancer_id}/nodes", json=change)

    assert answer.status_code == 404
    assert answer.json()["message"] == f"Node with id #999999 not found for loadbalancer #{balancer_id}"
    assert [node["condition"] for node in await api.nodes(balancer_id)] == ["ENABLED"]


async def test_a_node_is_removed(api):
    """DELETE answers 202 without a body, the last node included (CLB docs, delete node)."""
    balancer_id, [node_id] = await api.create_with_nodes(1)
    answer = await api.accepted("DELETE", f"/{balancer_id}/nodes/{node_id}")

    assert answer.content == b""
    assert await api.nodes(balancer_id) == []


async def test_an_unknown_node_is_404(api):
    """To look at: "Node not found". To change: the ids are named."""
    balancer_id, _ = await api.create_with_nodes(0)
    shown = await api.http.get(f"/{balancer_id}/nodes/999999")
    deleted = await api.http.delete(f"/{balancer_id}/nodes/999999")

    assert (shown.status_code, shown.json()["message"]) == (404, "Node not found")
    assert deleted.status_code == 404
    assert deleted.json()["message"] == f"Node with id #999999 not found for loadbalancer #{balancer_id}"


async def test_nodes_are_removed_together(api):
    """Bulk DELETE takes up to 10 ids (CLB docs, bulk-delete nodes)."""
    balancer_id, ids = await api.create_with_nodes(12)
    await api.accepted("DELETE", f"/{balancer_id}/nodes", params={"id": ids[:10]})

    assert [node["id"] for node in await api.nodes(balancer_id)] == ids[10:]


async def test_removing_too_many_or_foreign_nodes_removes_none(api):
    """More than 10 ids, or ids of others, are 400 and all stay (CLB docs, bulk-delete nodes)."""
    balancer_id, ids = await api.create_with_nodes(11)
    many = await api.http.delete(f"/{balancer_id}/nodes", params={"id": ids})
    foreign = await api.http.delete(f"/{balancer_id}/nodes", params={"id": [ids[0], 999_998, 999_999]})
    none = await api.http.delete(f"/{balancer_id}/nodes")

    assert problems(many) == [
        (
            "Request to delete 11 nodes exceeds the account limit BATCH_DELETE_LIMIT of 10 "
            "please attempt to delete fewer then 10 nodes"
        )
    ]
    assert problems(foreign) == ["Node ids 999998,999999 are not a part of your loadbalancer"]
    assert (none.status_code, none.json()["message"]) == (400, "Must supply one or more id's to process this request.")
    assert len(await api.nodes(balancer_id)) == 11
