"""Health monitor, session persistence and metadata in Cloud Load Balancers v1.0."""

import pytest

from tests.localcloud.clb_api import ACCOUNT, clb
from tests.localcloud.traffic import eventually

pytestmark = pytest.mark.anyio

EVENT = {"id", "nodeId", "loadbalancerId", "accountId", "author", "title", "description", "detailedMessage"} | {
    "category",
    "type",
    "severity",
    "relativeUri",
    "created",
}
CONNECT = {"type": "CONNECT", "delay": 10, "timeout": 5, "attemptsBeforeDeactivation": 2}
HTTP = {**CONNECT, "type": "HTTP", "path": "/healthz", "statusRegex": "^200$", "bodyRegex": "well"}


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def api(tmp_path_factory):
    """Run the service, changes taking no longer than Envoy does."""
    async with clb(tmp_path_factory.mktemp("clb")) as running:
        yield running


@pytest.fixture
async def balancer(api):
    """Have a load balancer with a node; the path of the former."""
    balancer_id, _ = await api.create_with_nodes(1)
    yield f"/{balancer_id}"
    await api.accepted("DELETE", f"/{balancer_id}")


@pytest.mark.parametrize("root", ["healthMonitor", None])
@pytest.mark.parametrize("monitor", [CONNECT, HTTP])
async def test_a_monitor_is_set_shown_and_deleted(api, balancer, monitor, root):
    """PUT 202 without a body, GET what was put, DELETE 202, then `{}` (CLB docs, monitors)."""
    path = f"{balancer}/healthmonitor"
    assert (await api.http.get(path)).json() == {"healthMonitor": {}}

    assert (await api.accepted("PUT", path, json={root: monitor} if root else monitor)).content == b""
    assert (await api.http.get(path)).json() == {"healthMonitor": monitor}

    assert (await api.accepted("DELETE", path)).content == b""
    assert (await api.http.get(path)).json() == {"healthMonitor": {}}


async def test_a_monitor_of_the_same_type_is_changed_in_part(api, balancer):
    """What a PUT does not mention stays, as long as the type does."""
    path = f"{balancer}/healthmonitor"
    await api.accepted("PUT", path, json=HTTP)
    await api.accepted("PUT", path, json={"delay": 20})

    assert (await api.http.get(path)).json() == {"healthMonitor": {**HTTP, "delay": 20}}


@pytest.mark.parametrize(
    ("monitor", "message"),
    [
        ({**CONNECT, "type": None}, "Must provide a type for the health monitor."),
        ({**CONNECT, "delay": 3601}, "Must specify valid delay range between 1 and 3600."),
        ({**CONNECT, "timeout": 0}, "Must specify valid timeout range between 1 and 300."),
        (
            {**CONNECT, "attemptsBeforeDeactivation": 11},
            "Must specify valid attempts before deactivation range between 1 and 10.",
        ),
        ({**CONNECT, "delay": None}, "Must provide delay for the health monitor."),
        (
            {**CONNECT, "path": "/"},
            "A connect health monitor may not have a path. Use HTTP/HTTPS health monitor instead.",
        ),
        ({**HTTP, "path": "healthz"}, "Must provide a forward slash(/) as the beginning of the path."),
        ({**HTTP, "statusRegex": None}, "Must provide a status regex for the health monitor."),
        ({**HTTP, "statusRegex": "("}, "Must provide a valid status regex"),
        ({**HTTP, "bodyRegex": "("}, "Must provide a valid body regex"),
    ],
)
async def test_wrong_fields_of_a_monitor_are_named(api, balancer, monitor, message):
    """Ranges and required fields are those of the documentation (CLB docs, monitors)."""
    answer = await api.http.put(f"{balancer}/healthmonitor", json={"healthMonitor": monitor})

    assert answer.status_code == 400
    assert answer.json()["validationErrors"]["messages"] == [message]


async def test_a_body_pattern_beyond_envoy_is_refused_and_says_so(api, balancer):
    """The local cloud cannot check every regular expression, and does not pretend to."""
    answer = await api.http.put(f"{balancer}/healthmonitor", json={**HTTP, "bodyRegex": "(well|fine)"})
    [problem] = answer.json()["validationErrors"]["messages"]

    assert "the local cloud can match plain text and '.*' only" in problem


async def test_a_monitor_speaks_its_balancers_protocol(api, balancer):
    """HTTPS monitors are for HTTPS load balancers (CLB docs, monitors)."""
    answer = await api.http.put(f"{balancer}/healthmonitor", json={**HTTP, "type": "HTTPS"})

    assert answer.status_code == 400
    message = "Cannot update Health Monitor to Type HTTPS because load balancer protocol is HTTP"
    assert answer.json()["message"] == message


async def test_a_monitor_that_is_not_there_is_not_deleted(api, balancer):
    """DELETE without a monitor is 422."""
    answer = await api.http.delete(f"{balancer}/healthmonitor")

    assert (answer.status_code, answer.json()["message"]) == (422, "No health monitor found to delete.")


async def test_a_monitor_that_secondary_nodes_need_is_not_deleted(api, balancer):
    """DELETE with SECONDARY nodes is 400."""
    await api.accepted("PUT", f"{balancer}/healthmonitor", json=CONNECT)
    await api.accepted("POST", f"{balancer}/nodes", json={"nodes": [api.node(type="SECONDARY")]})
    answer = await api.http.delete(f"{balancer}/healthmonitor")

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Can not delete HealthMonitor since this lb contains Secondary nodes")


async def test_nodes_that_do_not_listen_are_offline_until_the_monitor_is_deleted(api, balancer):
    """The monitor finds a node OFFLINE; without it every node is ONLINE, whatever its health (CLB docs, monitors)."""

    async def status() -> str:
        return (await api.nodes(int(balancer[1:])))[0]["status"]

    assert await status() == "ONLINE"
    await api.accepted("PUT", f"{balancer}/healthmonitor", json={**CONNECT, "delay": 1})
    assert await status() == "OFFLINE"
    await api.accepted("DELETE", f"{balancer}/healthmonitor")
    assert await status() == "ONLINE"


async def test_events_tell_why_a_node_went_offline(api, balancer):
    """`nodes/events` names the node, the new status and what was seen (CLB docs, list node service events)."""
    [node] = await api.nodes(int(balancer[1:]))
    assert (await api.http.get(f"{balancer}/nodes/events")).json() == {"nodeServiceEvents": []}
    await api.accepted("PUT", f"{balancer}/healthmonitor", json={**CONNECT, "delay": 1})

    async def written_down() -> bool:
        return bool((await api.http.get(f"{balancer}/nodes/events")).json()["nodeServiceEvents"])

    await eventually(written_down)
    [event] = (await api.http.get(f"{balancer}/nodes/events")).json()["nodeServiceEvents"]
    assert set(event) == EVENT
    assert (event["accountId"], event["nodeId"]) == (ACCOUNT, node["id"])
    assert "status changed to 'OFFLINE'" in event["description"]
    assert event["detailedMessage"].endswith("nothing accepted the connection")


async def test_session_persistence_is_set_shown_and_deleted(api, balancer):
    """PUT 202 without a body, GET what was put, DELETE 202, then `{}`, then 422 (CLB docs, sessions)."""
    path = f"{balancer}/sessionpersistence"
    body = {"sessionPersistence": {"persistenceType": "HTTP_COOKIE"}}
    assert (await api.http.get(path)).json() == {"sessionPersistence": {}}

    assert (await api.accepted("PUT", path, json=body)).content == b""
    assert (await api.http.get(path)).json() == body

    assert (await api.accepted("DELETE", path)).content == b""
    assert (await api.http.get(path)).json() == {"sessionPersistence": {}}
    again = await api.http.delete(path)
    assert (again.status_code, again.json()["message"]) == (422, "Session persistence is already deleted.")


@pytest.mark.parametrize("kind", ["SSL_ID", "MEMORY"])
async def test_session_persistence_of_another_kind_is_400(api, balancer, kind):
    """HTTP_COOKIE and SOURCE_IP are offered; SSL_ID would need what Envoy does not have."""
    answer = await api.http.put(f"{balancer}/sessionpersistence", json={"persistenceType": kind})

    assert answer.status_code == 400


@pytest.fixture(params=["balancer", "node"])
async def metadata(request, api, balancer):
    """Have a place for metadata: a load balancer's, or a node's."""
    [node] = await api.nodes(int(balancer[1:]))
    return f"{balancer}/metadata" if request.param == "balancer" else f"{balancer}/nodes/{node['id']}/metadata"


async def test_metadata_is_added_changed_and_deleted(api, metadata):
    """A list of id, key and value; 200, and no pending state (CLB docs, metadata)."""
    added = await api.http.post(
        metadata, json={"metadata": [{"key": "app", "value": "web"}, {"key": "a", "value": "b"}]}
    )
    [app, other] = added.json()["metadata"]
    assert added.status_code == 200
    assert set(app) == {"id", "key", "value"}

    changed = await api.http.put(f"{metadata}/{app['id']}", json={"meta": {"value": "shop"}})
    assert (changed.status_code, changed.json()) == (200, {"meta": {**app, "value": "shop"}})
    assert (await api.http.get(metadata)).json() == {"metadata": [{**app, "value": "shop"}, other]}

    assert (await api.http.delete(f"{metadata}/{app['id']}")).status_code == 200
    assert (await api.http.delete(metadata, params={"id": other["id"]})).status_code == 200
    assert (await api.http.get(metadata)).json() == {"metadata": []}


async def test_metadata_refuses_what_is_twice_too_long_or_unknown(api, metadata):
    """A key that is there is 422; over 256 characters 400; an unknown id 404 (CLB docs, metadata)."""
    item = {"key": "app", "value": "web"}
    await api.http.post(metadata, json={"meta": item})

    assert (await api.http.post(metadata, json={"meta": item})).status_code == 422
    assert (await api.http.post(metadata, json={"meta": {"key": "long", "value": "x" * 257}})).status_code == 400
    assert (await api.http.post(metadata, json={"metadata": [{"key": "k", "value": "1"}] * 2})).status_code == 400
    assert (await api.http.post(metadata, json={"items": []})).status_code == 400
    assert (await api.http.get(f"{metadata}/999999")).status_code == 404


async def test_metadata_is_deleted_in_tens(api, metadata):
    """More than ten ids at once, or one that is unknown, are 400, and nothing is deleted (CLB docs, bulk-delete)."""
    items = [{"key": f"many-{number}", "value": "x"} for number in range(11)]
    ids = [item["id"] for item in (await api.http.post(metadata, json={"metadata": items})).json()["metadata"]]

    for wanted, reason in ((ids, "BATCH_DELETE_LIMIT of 10"), ([ids[0], 999999], "Metadata ids 999999 are not")):
        refused = await api.http.delete(metadata, params={"id": wanted})
        assert refused.status_code == 400
        assert reason in refused.json()["validationErrors"]["messages"][0]

    assert (await api.http.delete(metadata, params={"id": ids[1:]})).status_code == 200
    assert ids[0] in [item["id"] for item in (await api.http.get(metadata)).json()["metadata"]]


async def test_metadata_of_a_new_balancer_is_kept(api):
    """`metadata` in the body of a POST is the load balancer's (CLB docs, create load balancer)."""
    created = await api.create(metadata=[{"key": "app", "value": "web"}])
    [item] = (await api.http.get(f"/{created['id']}/metadata")).json()["metadata"]

    assert (item["key"], item["value"]) == ("app", "web")
