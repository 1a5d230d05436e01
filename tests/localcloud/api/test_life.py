"""The life of a server: built, rebooted, shut off, deleted (api-ref, servers)."""

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"


async def act(cloud: Cloud, server_id: str, action: object) -> int:
    """Post an action; gives the status of the answer."""
    return (await cloud.http.post(f"{SERVERS}/{server_id}/action", json=action)).status_code


async def test_a_server_builds_until_its_machine_is_up(cloud: Cloud):
    """BUILD with a task state while the machine boots, then ACTIVE with an address."""
    cloud.machines.power.clear()
    server_id = await cloud.create()
    await cloud.machines.begun.wait()
    building = await cloud.show(server_id)
    cloud.machines.power.set()
    await cloud.settle()
    active = await cloud.show(server_id)

    assert (building["status"], building["OS-EXT-STS:task_state"]) == ("BUILD", "spawning")
    assert (building["addresses"], building["progress"]) == ({}, 0)
    assert (active["status"], active["OS-EXT-STS:task_state"], active["progress"]) == ("ACTIVE", None, 100)
    [address] = active["addresses"]["private"]
    assert (address["addr"], address["version"], address["OS-EXT-IPS:type"]) == ("127.9.2.1", 4, "fixed")


async def test_a_boot_that_fails_is_an_error_with_a_fault(cloud: Cloud):
    """A machine that does not come up leaves its server in ERROR, and the fault says why."""
    cloud.machines.broken = "its SSH server did not start"
    server_id = await cloud.create()
    await cloud.settle()
    server = await cloud.show(server_id)

    assert server["status"] == "ERROR"
    assert (server["fault"]["code"], server["fault"]["message"]) == (500, "its SSH server did not start")


async def test_times_are_whole_seconds(cloud: Cloud):
    """Created and updated are whole seconds in UTC."""
    server = await cloud.show(await cloud.create())

    assert len(server["created"]) == len(server["updated"]) == len("2026-01-01T00:00:00Z")
    assert server["created"].endswith("Z")


async def test_delete_is_asynchronous(cloud: Cloud):
    """204 at once; the server is there with task deleting until its machine is gone, then 404."""
    server_id = await cloud.create()
    await cloud.settle()
    cloud.machines.power.clear()
    statuses = [(await cloud.http.delete(f"{SERVERS}/{server_id}")).status_code for _ in range(2)]
    deleting = await cloud.show(server_id)
    cloud.machines.power.set()
    await cloud.settle()

    assert statuses == [204, 204]
    assert (deleting["status"], deleting["OS-EXT-STS:task_state"]) == ("ACTIVE", "deleting")
    assert (await cloud.http.get(f"{SERVERS}/{server_id}")).status_code == 404
    assert (await cloud.http.delete(f"{SERVERS}/{server_id}")).status_code == 404
    assert cloud.machines.deleted == [server_id]


async def test_a_server_can_be_deleted_while_it_builds(cloud: Cloud):
    """A delete during the build ends it; the machine never shows up."""
    cloud.machines.power.clear()
    server_id = await cloud.create()
    await cloud.machines.begun.wait()
    assert (await cloud.http.delete(f"{SERVERS}/{server_id}")).status_code == 204
    cloud.machines.power.set()
    await cloud.settle()

    assert (await cloud.http.get(f"{SERVERS}/{server_id}")).status_code == 404
    assert cloud.machines.booted == {}


@pytest.mark.parametrize(("kind", "status"), [("SOFT", "REBOOT"), ("HARD", "HARD_REBOOT")])
async def test_reboots_show(cloud: Cloud, kind: str, status: str):
    """A reboot is accepted with 202 and shows in the status until the machine is up again."""
    server_id = await cloud.create()
    await cloud.settle()
    cloud.machines.power.clear()
    accepted = await act(cloud, server_id, {"reboot": {"type": kind}})
    rebooting = (await cloud.show(server_id))["status"]
    again = await act(cloud, server_id, {"reboot": {"type": kind}})
    cloud.machines.power.set()
    await cloud.settle()

    assert (accepted, rebooting, again) == (202, status, 409)
    assert (await cloud.show(server_id))["status"] == "ACTIVE"


async def test_a_machine_that_dies_shuts_its_server_off(cloud: Cloud):
    """A machine that ended by itself is SHUTOFF; only a hard reboot brings it back."""
    server_id = await cloud.create()
    await cloud.settle()
    cloud.servers.machine_died(server_id)

    assert (await cloud.show(server_id))["status"] == "SHUTOFF"
    assert await act(cloud, server_id, {"reboot": {"type": "SOFT"}}) == 409
    assert await act(cloud, server_id, {"reboot": {"type": "HARD"}}) == 202
    await cloud.settle()
    assert (await cloud.show(server_id))["status"] == "ACTIVE"


async def test_a_machine_that_dies_as_soon_as_it_is_up(cloud: Cloud):
    """A machine that ends before its boot has been noted is SHUTOFF, not ACTIVE for ever."""
    cloud.machines.on_boot = cloud.servers.machine_died
    server_id = await cloud.create()
    await cloud.settle()

    assert (await cloud.show(server_id))["status"] == "SHUTOFF"


async def test_a_conflict_is_worded_as_novas(cloud: Cloud):
    """409 is `conflictingRequest` and names action, server and state."""
    cloud.machines.power.clear()
    server_id = await cloud.create()
    answer = await cloud.http.post(f"{SERVERS}/{server_id}/action", json={"reboot": {"type": "SOFT"}})

    fault = answer.json()["conflictingRequest"]
    assert fault == {"code": 409, "message": f"Cannot 'reboot' instance {server_id} while it is in vm_state building"}


async def test_a_missing_server_is_worded_as_novas(cloud: Cloud):
    """404 is `itemNotFound` and names the id."""
    answer = await cloud.http.get(f"{SERVERS}/nobody")

    assert answer.json()["itemNotFound"] == {"code": 404, "message": "Instance nobody could not be found."}


@pytest.mark.parametrize(
    ("length", "output"),
    [
        ({}, "booting\nready\nlogin:"),
        ({"length": 1}, "login:"),
        ({"length": "2"}, "ready\nlogin:"),
        ({"length": None}, "booting\nready\nlogin:"),
        ({"length": -1}, "booting\nready\nlogin:"),
        ({"length": 0}, ""),
    ],
)
async def test_the_console(cloud: Cloud, length: dict[str, object], output: str):
    """The console log is given whole, or its last lines (api-ref, servers-actions, os-getConsoleOutput)."""
    server_id = await cloud.create()
    await cloud.settle()
    answer = await cloud.http.post(f"{SERVERS}/{server_id}/action", json={"os-getConsoleOutput": length})

    assert (answer.status_code, answer.json()) == (200, {"output": output})


async def test_there_is_no_console_before_the_boot(cloud: Cloud):
    """While nothing has been printed yet, the console is 409; after a boot that printed nothing and failed, 404."""
    cloud.machines.power.clear()
    cloud.machines.broken = "no disk"
    server_id = await cloud.create()
    early = await act(cloud, server_id, {"os-getConsoleOutput": {}})
    cloud.machines.power.set()
    await cloud.settle()

    assert (early, await act(cloud, server_id, {"os-getConsoleOutput": {}})) == (409, 404)


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"fly": {}},
        {"reboot": {}},
        {"reboot": {"type": "GENTLE"}},
        {"reboot": {"type": "SOFT"}, "os-getConsoleOutput": {}},
        {"os-getConsoleOutput": {"length": "many"}},
        {"os-getConsoleOutput": {"lines": 1}},
        [],
    ],
)
async def test_malformed_actions(cloud: Cloud, action: object):
    """An action that does not exist or has wrong arguments is a bad request."""
    server_id = await cloud.create()
    await cloud.settle()

    assert await act(cloud, server_id, action) == 400
