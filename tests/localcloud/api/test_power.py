"""Servers are stopped, started and renamed (api-ref, servers, servers-actions)."""

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"


async def act(cloud: Cloud, server_id: str, action: str) -> int:
    """Post an action without arguments; gives the status of the answer."""
    return (await cloud.http.post(f"{SERVERS}/{server_id}/action", json={action: None})).status_code


async def test_stop_and_start(cloud: Cloud):
    """A stopped server is SHUTOFF with power state 4 until it is started; meanwhile the task says what is done."""
    server_id = await cloud.create()
    await cloud.settle()
    seen = []
    for action in ("os-stop", "os-start"):
        cloud.machines.power.clear()
        assert await act(cloud, server_id, action) == 202
        seen.append((await cloud.show(server_id))["OS-EXT-STS:task_state"])
        cloud.machines.power.set()
        await cloud.settle()
        server = await cloud.show(server_id)
        seen.append((server["status"], server["OS-EXT-STS:power_state"]))

    assert seen == ["powering-off", ("SHUTOFF", 4), "powering-on", ("ACTIVE", 1)]


async def test_what_is_off_cannot_be_stopped_and_what_runs_not_started(cloud: Cloud):
    """Stop wants a server that runs, start one that is off; anything else is 409."""
    server_id = await cloud.create()
    building = await act(cloud, server_id, "os-stop")
    await cloud.settle()
    running = await act(cloud, server_id, "os-start")
    await act(cloud, server_id, "os-stop")
    await cloud.settle()

    assert (building, running, await act(cloud, server_id, "os-stop")) == (409, 409, 409)


async def test_a_stopped_server_takes_a_hard_reboot_alone(cloud: Cloud):
    """A soft reboot of a stopped server is 409, a hard one boots it."""
    server_id = await cloud.create()
    await cloud.settle()
    await act(cloud, server_id, "os-stop")
    await cloud.settle()
    reboots = [{"reboot": {"type": kind}} for kind in ("SOFT", "HARD")]
    statuses = [(await cloud.http.post(f"{SERVERS}/{server_id}/action", json=body)).status_code for body in reboots]
    await cloud.settle()

    assert statuses == [409, 202]
    assert (await cloud.show(server_id))["status"] == "ACTIVE"


async def test_a_new_name_is_not_a_new_host_name(cloud: Cloud):
    """PUT changes the name and answers with the whole server; what the server calls itself stays."""
    server_id = await cloud.create("web-1")
    headers = {"OpenStack-API-Version": "compute 2.90"}
    body = {"server": {"name": "old-web", "description": "kept for a day"}}
    answer = await cloud.http.put(f"{SERVERS}/{server_id}", json=body, headers=headers)
    server = answer.json()["server"]

    assert answer.status_code == 200
    assert (server["name"], server["description"]) == ("old-web", "kept for a day")
    assert server["OS-EXT-SRV-ATTR:hostname"] == "web-1"
    assert server == await cloud.show(server_id, **headers)


@pytest.mark.parametrize(
    ("version", "changes"),
    [
        ("2.1", {"name": ""}),
        ("2.1", {"flavorRef": "general1-2"}),
        ("2.18", {"description": "new"}),
        ("2.89", {"hostname": "other"}),
        ("2.90", {"hostname": "-"}),
    ],
)
async def test_changes_that_are_refused(cloud: Cloud, version: str, changes: dict[str, str]):
    """An empty name, a key that PUT does not have, or not yet: 400, and nothing is changed."""
    server_id = await cloud.create()
    headers = {"OpenStack-API-Version": f"compute {version}"}
    answer = await cloud.http.put(f"{SERVERS}/{server_id}", json={"server": changes}, headers=headers)

    assert answer.json()["badRequest"]["code"] == 400
    assert (await cloud.show(server_id))["name"] == "web"
