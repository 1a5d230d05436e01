"""While a change is being made, a load balancer cannot be changed (CLB docs, api-behavior)."""

import os
import signal
from datetime import timedelta

import httpx
import pytest

from tests.localcloud.clb_api import balancer_body, clb
from tests.localcloud.traffic import eventually

pytestmark = pytest.mark.anyio

FOREVER = timedelta(hours=1).total_seconds()


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def slow(tmp_path_factory):
    """Run a service whose changes take longer than any test."""
    async with clb(tmp_path_factory.mktemp("clb"), pending_seconds=FOREVER) as running:
        yield running


CHANGES = [
    ("PUT", "", {"name": "x"}),
    ("POST", "/metadata", {"metadata": [{"key": "app", "value": "web"}]}),
    ("POST", "/nodes", {"nodes": [{"address": "127.9.9.9", "port": 80, "condition": "ENABLED"}]}),
    ("PUT", "/nodes/{node}", {"condition": "DRAINING"}),
    ("PUT", "/nodes", {"nodes": [{"id": "{node}", "condition": "DRAINING"}]}),
    ("DELETE", "/nodes/{node}", None),
    ("PUT", "/healthmonitor", {"type": "CONNECT", "delay": 10, "timeout": 5, "attemptsBeforeDeactivation": 2}),
    ("DELETE", "/healthmonitor", None),
    ("PUT", "/sessionpersistence", {"persistenceType": "SOURCE_IP"}),
    ("DELETE", "/sessionpersistence", None),
]


async def building(slow) -> tuple[int, int]:
    """Ask for a load balancer with a node; return their ids."""
    created = (await slow.http.post("", json=balancer_body(nodes=[slow.node()]))).json()["loadBalancer"]
    return created["id"], created["nodes"][0]["id"]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
async def test_every_change_has_to_wait(slow, method, path, body):
    """All changes are 422 with the status in the message, and a client knows from it that waiting helps."""
    balancer_id, node_id = await building(slow)
    url = f"/{balancer_id}{path}".replace("{node}", str(node_id))
    if body and "nodes" in body:
        body = {"nodes": [{name: node_id if value == "{node}" else value for name, value in body["nodes"][0].items()}]}
    answer = await slow.http.request(method, url, json=body)

    assert answer.status_code == 422
    assert answer.json() == {
        "message": f"Load Balancer '{balancer_id}' has a status of 'BUILD' and is considered immutable.",
        "code": 422,
    }


async def test_metadata_of_a_node_has_to_wait_in_other_words(slow):
    """POST of a node's metadata is 400 while its load balancer is changed (atlas-lb, NodeMetadataServiceImpl)."""
    balancer_id, node_id = await building(slow)
    answer = await slow.http.post(f"/{balancer_id}/nodes/{node_id}/metadata", json={"meta": {"key": "a", "value": "b"}})

    assert (answer.status_code, "is deleted, therefore" in answer.json()["message"]) == (400, True)


async def test_a_bulk_removal_has_to_wait_in_other_words(slow):
    """Bulk DELETE of nodes hides the status: "LoadBalancer is not ACTIVE"."""
    balancer_id, node_id = await building(slow)
    answer = await slow.http.delete(f"/{balancer_id}/nodes", params={"id": node_id})

    assert (answer.status_code, answer.json()["message"]) == (422, "LoadBalancer is not ACTIVE")


async def test_a_deletion_has_to_wait_with_another_code(slow):
    """DELETE of a load balancer that is not ACTIVE is 400 (atlas-lb, prepareForDelete)."""
    balancer_id, _ = await building(slow)
    answer = await slow.http.delete(f"/{balancer_id}")

    assert answer.status_code == 400
    message = f"Must provide valid load balancers: {balancer_id}  are immutable and could not be processed."
    assert answer.json()["message"] == message


async def test_an_unknown_node_is_found_out_first(slow):
    """404 for a node comes before 422 for the load balancer (atlas-lb, NodeServiceImpl)."""
    balancer_id, _ = await building(slow)

    assert (await slow.http.delete(f"/{balancer_id}/nodes/999999")).status_code == 404


async def test_looking_never_has_to_wait(slow):
    """GETs are always answered, with the change already in them."""
    balancer_id, node_id = await building(slow)

    for path in ("", "/nodes", f"/nodes/{node_id}", "/virtualips", "/healthmonitor", "/sessionpersistence", "/stats"):
        assert (await slow.http.get(f"/{balancer_id}{path}")).status_code == 200


async def test_a_change_shows_at_once_as_pending(tmp_path):
    """An accepted change sets PENDING_UPDATE, and ACTIVE comes when Envoy has it; then a request finds the change."""
    async with clb(tmp_path / "clb", pending_seconds=0.05) as api, httpx.AsyncClient() as client:
        created = await api.create()
        site = f"http://{created['virtualIps'][0]['address']}:{created['port']}/"
        assert (await client.get(site)).status_code == 503

        change = await api.http.post(f"/{created['id']}/nodes", json={"nodes": [api.node()]})
        assert (change.status_code, (await api.details(created["id"]))["status"]) == (202, "PENDING_UPDATE")
        assert await api.settled(created["id"]) == "ACTIVE"

        deletion = await api.http.delete(f"/{created['id']}")
        assert (deletion.status_code, (await api.details(created["id"]))["status"]) == (202, "PENDING_DELETE")
        assert await api.settled(created["id"]) == "DELETED"
        with pytest.raises(httpx.ConnectError):
            await client.get(site)


async def test_a_dead_proxy_is_a_fault_that_says_so(tmp_path):
    """When Envoy has been killed, looking at nodes is 500 with the reason, and a change ends in ERROR."""
    async with clb(tmp_path / "clb") as api:
        balancer_id, [node_id] = await api.create_with_nodes(1)
        os.kill(api.service.envoy.pid, signal.SIGKILL)

        async def silent() -> bool:
            return (await api.http.get(f"/{balancer_id}/nodes")).status_code == 500

        await eventually(silent)
        fault = (await api.http.get(f"/{balancer_id}/nodes")).json()
        assert fault["message"].startswith("The load balancer has experienced a fault: Envoy in ")
        assert (await api.http.delete(f"/{balancer_id}/nodes/{node_id}")).status_code == 202

        async def in_error() -> bool:
            [listed] = (await api.http.get("")).json()["loadBalancers"]
            return listed["status"] == "ERROR"

        await eventually(in_error)


async def test_only_one_of_several_changes_at_once_wins(tmp_path):
    """A second change right after the first one is 422: batches belong into one request."""
    async with clb(tmp_path / "clb", pending_seconds=0.05) as api:
        balancer_id, ids = await api.create_with_nodes(2)
        answers = [await api.http.delete(f"/{balancer_id}/nodes/{node_id}") for node_id in ids]

        assert [answer.status_code for answer in answers] == [202, 422]
        assert "has a status of 'PENDING_UPDATE'" in answers[1].json()["message"]
        await api.settled(balancer_id)
        assert [node["id"] for node in await api.nodes(balancer_id)] == ids[1:]
