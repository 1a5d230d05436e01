"""What has been done to a server (api-ref, os-instance-actions; rest_api_version_history, 2.21, 2.51, 2.58)."""

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
SPEAKING = {"OpenStack-API-Version": "compute 2.58"}


async def test_actions_are_listed_newest_first(cloud: Cloud):
    """Every change that takes time is listed, with the id of the request that began it."""
    server_id = await cloud.create()
    await cloud.settle()
    url = f"{SERVERS}/{server_id}"
    asked = []
    for body in ({"reboot": {"type": "SOFT"}}, {"createImage": {"name": "golden"}}, {"os-stop": None}, {"os-start": 0}):
        asked.append((await cloud.http.post(f"{url}/action", json=body)).headers["X-Compute-Request-Id"])
        await cloud.settle()
    listed = (await cloud.http.get(f"{url}/os-instance-actions")).json()["instanceActions"]

    assert [action["action"] for action in listed] == ["start", "stop", "createImage", "reboot", "create"]
    assert [action["request_id"] for action in listed][:4] == asked[::-1]
    assert {action["message"] for action in listed} == {None}
    assert "updated_at" not in listed[0]


async def test_one_action_has_its_event(cloud: Cloud):
    """An action shows how it went: no result while it is under way, then Success."""
    cloud.machines.power.clear()
    server_id = await cloud.create()
    url = f"{SERVERS}/{server_id}/os-instance-actions"
    [listed] = (await cloud.http.get(url, headers=SPEAKING)).json()["instanceActions"]
    under_way = (await cloud.http.get(f"{url}/{listed['request_id']}", headers=SPEAKING)).json()["instanceAction"]
    cloud.machines.power.set()
    await cloud.settle()
    over = (await cloud.http.get(f"{url}/{listed['request_id']}", headers=SPEAKING)).json()["instanceAction"]

    assert (under_way["events"][0]["result"], under_way["events"][0]["finish_time"]) == (None, None)
    assert (over["events"][0]["event"], over["events"][0]["result"]) == (
        "compute__do_build_and_run_instance",
        "Success",
    )
    assert over["updated_at"] == over["events"][0]["finish_time"]


async def test_a_failure_is_told(cloud: Cloud):
    """A boot or a copy that fails leaves the message Error."""
    server_id = await cloud.create()
    await cloud.settle()
    cloud.machines.unreadable = "no space left"
    await cloud.http.post(f"{SERVERS}/{server_id}/action", json={"createImage": {"name": "golden"}})
    await cloud.settle()
    listed = (await cloud.http.get(f"{SERVERS}/{server_id}/os-instance-actions")).json()["instanceActions"]

    assert [(action["action"], action["message"]) for action in listed] == [("createImage", "Error"), ("create", None)]


async def test_a_deleted_servers_actions_are_shown_from_2_21_on(cloud: Cloud):
    """What was done to a deleted server can be read from 2.21 on; before it is 404, as is an unknown request."""
    server_id = await cloud.create()
    await cloud.settle()
    await cloud.http.delete(f"{SERVERS}/{server_id}")
    await cloud.settle()
    url = f"{SERVERS}/{server_id}/os-instance-actions"
    newer = (await cloud.http.get(url, headers=SPEAKING)).json()["instanceActions"]

    assert [action["action"] for action in newer] == ["delete", "create"]
    assert (await cloud.http.get(url)).status_code == 404
    assert (await cloud.http.get(f"{url}/req-none", headers=SPEAKING)).status_code == 404
    assert (await cloud.http.get(f"{SERVERS}/none/os-instance-actions", headers=SPEAKING)).status_code == 404
