"""Bad days of compute: builds, lost answers, deletions, consoles, lists and metadata."""

import asyncio
from typing import Any

import httpx
import pytest

from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Fault
from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio

SERVERS = "/compute/v2.1/servers"
LONG = 3600.0  # longer than any test


def arm(cloud: Cloud, name: FaultName, **more: Any) -> None:
    """Arm a fault."""
    cloud.bad_days.faults.arm(Fault(name=name, **more))


async def post(cloud: Cloud, name: str = "web") -> httpx.Response:
    """Ask for a server."""
    return await cloud.http.post(SERVERS, json=cloud.body(name))


async def listed(cloud: Cloud, path: str = "/detail") -> list[str]:
    """Give the names of the servers in a list, newest first."""
    return [server["name"] for server in (await cloud.http.get(f"{SERVERS}{path}")).json()["servers"]]


async def active(cloud: Cloud, name: str = "web") -> str:
    """Have a server that is ACTIVE; gives its id."""
    server_id = await cloud.create(name)
    await cloud.settle()
    return server_id


async def test_a_build_dies(cloud: Cloud):
    """The server is in ERROR with Nova's usual fault, has no machine, and the next one is built."""
    arm(cloud, FaultName.BUILD_DIES)
    dead, alive = await active(cloud), await active(cloud)
    server = await cloud.show(dead)

    assert (server["status"], server["fault"]["code"]) == ("ERROR", 500)
    assert server["fault"]["message"] == "No valid host was found. There are not enough hosts available."
    assert (await cloud.show(alive))["status"] == "ACTIVE"
    assert list(cloud.machines.booted) == [alive]


async def test_only_the_build_that_is_meant_dies(cloud: Cloud):
    """With `match`, servers of another name are built."""
    arm(cloud, FaultName.BUILD_DIES, match="web-2")
    statuses = [(await cloud.show(await active(cloud, name)))["status"] for name in ("web-1", "web-2")]

    assert statuses == ["ACTIVE", "ERROR"]


async def test_a_build_hangs(cloud: Cloud):
    """The server stays in BUILD, while another is built, and can be deleted."""
    arm(cloud, FaultName.BUILD_HANGS)
    hanging = await cloud.create("first")
    other = await cloud.create("second")
    await asyncio.wait([cloud.servers.acts._acts[other]])
    statuses = [(await cloud.show(server_id))["status"] for server_id in (hanging, other)]
    await cloud.http.delete(f"{SERVERS}/{hanging}")
    await cloud.settle()

    assert statuses == ["BUILD", "ACTIVE"]
    assert (await cloud.http.get(f"{SERVERS}/{hanging}")).status_code == 404


async def test_a_build_is_slow(cloud: Cloud):
    """The server is in BUILD for so long before its machine begins to boot, and ACTIVE in the end."""
    arm(cloud, FaultName.BUILD_SLOW, seconds=LONG)
    arm(cloud, FaultName.BUILD_SLOW, seconds=0.01)
    never, soon = await cloud.create("first"), await cloud.create("second")
    await asyncio.wait([cloud.servers.acts._acts[soon]])

    assert [(await cloud.show(each))["status"] for each in (never, soon)] == ["BUILD", "ACTIVE"]
    assert list(cloud.machines.booted) == [soon]


async def test_a_create_fails_without_effect(cloud: Cloud):
    """500 in Nova's words, and there is no server."""
    arm(cloud, FaultName.CREATE_500)
    answer = await post(cloud)

    assert (answer.status_code, list(answer.json())) == (500, ["computeFault"])
    assert await listed(cloud) == []


async def test_a_create_fails_and_has_its_effect(cloud: Cloud):
    """500, and the server is there and comes up."""
    arm(cloud, FaultName.CREATE_500_BUT_CREATED)
    answer = await post(cloud)
    await cloud.settle()
    [server] = (await cloud.http.get(f"{SERVERS}/detail")).json()["servers"]

    assert (answer.status_code, server["name"], server["status"]) == (500, "web", "ACTIVE")


async def test_a_refused_create_is_not_struck(cloud: Cloud):
    """What would have been refused anyway is, and the fault waits for a create that is none of that."""
    arm(cloud, FaultName.CREATE_500_BUT_CREATED)
    refused = await cloud.http.post(SERVERS, json={"server": {}})

    assert (refused.status_code, (await post(cloud)).status_code) == (400, 500)


async def test_a_server_turns_up_late(cloud: Cloud):
    """500, and the server is built, but in no list until its time has come."""
    arm(cloud, FaultName.CREATE_LATE, seconds=LONG)
    arm(cloud, FaultName.CREATE_LATE, seconds=0.0)
    codes = [(await post(cloud, name)).status_code for name in ("never", "now")]
    await cloud.settle()

    assert codes == [500, 500]
    assert [server.status for server in cloud.servers.all()] == ["ACTIVE", "ACTIVE"]
    assert (await listed(cloud), await listed(cloud, "")) == (["now"], ["now"])


async def test_a_delete_hangs(cloud: Cloud):
    """The delete is accepted, and the server goes on as ACTIVE with task deleting."""
    server_id = await active(cloud)
    arm(cloud, FaultName.DELETE_HANGS, seconds=LONG)
    codes = [(await cloud.http.delete(f"{SERVERS}/{server_id}")).status_code for _ in range(2)]
    server = await cloud.show(server_id)

    assert codes == [204, 204]
    assert (server["status"], server["OS-EXT-STS:task_state"]) == ("ACTIVE", "deleting")
    assert server_id in cloud.machines.booted


async def test_a_delete_that_hangs_comes_to_its_end(cloud: Cloud):
    """After its time the server is gone."""
    server_id = await active(cloud)
    arm(cloud, FaultName.DELETE_HANGS, seconds=0.01)
    await cloud.http.delete(f"{SERVERS}/{server_id}")
    await cloud.settle()

    assert (await cloud.http.get(f"{SERVERS}/{server_id}")).status_code == 404


async def test_a_delete_fails(cloud: Cloud):
    """500, and the server is as it was; the next delete takes it away."""
    server_id = await active(cloud)
    arm(cloud, FaultName.DELETE_500, match="web")
    failed = await cloud.http.delete(f"{SERVERS}/{server_id}")
    server = await cloud.show(server_id)

    assert (failed.status_code, server["status"], server["OS-EXT-STS:task_state"]) == (500, "ACTIVE", None)
    assert (await cloud.http.delete(f"{SERVERS}/{server_id}")).status_code == 204


async def test_a_console_is_late(cloud: Cloud):
    """An ACTIVE server's console is empty, 200, until its time has come."""
    arm(cloud, FaultName.CONSOLE_LATE, seconds=LONG)
    arm(cloud, FaultName.CONSOLE_LATE, seconds=0.0)
    read = {"os-getConsoleOutput": {}}
    ids = [await active(cloud, name) for name in ("first", "second")]
    answers = [await cloud.http.post(f"{SERVERS}/{server_id}/action", json=read) for server_id in ids]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["output"] for answer in answers] == ["", "booting\nready\nlogin:"]


async def test_lists_of_servers_are_stale(cloud: Cloud):
    """A list is what it was so long ago; a server that is asked for by its id is as it is now."""
    server_id = await active(cloud)
    before = await listed(cloud)
    arm(cloud, FaultName.STALE_LISTS, seconds=LONG, times=2)
    stale = [await listed(cloud), await listed(cloud, "")]

    assert (before, stale) == (["web"], [[], []])
    assert (await cloud.show(server_id))["status"] == "ACTIVE"
    assert await listed(cloud) == ["web"]


async def test_one_kind_of_list_may_be_stale(cloud: Cloud):
    """With `match`, only lists of that path are."""
    await active(cloud)
    arm(cloud, FaultName.STALE_LISTS, seconds=LONG, match="/detail")

    assert (await listed(cloud, ""), await listed(cloud)) == (["web"], [])


@pytest.mark.parametrize(
    ("method", "path", "body", "shown"),
    [
        ("POST", "/metadata", {"metadata": {"phase": "ready"}}, {"phase": "ready"}),
        ("PUT", "/metadata", {"metadata": {"phase": "ready"}}, {"phase": "ready"}),
        ("PUT", "/metadata/phase", {"meta": {"phase": "ready"}}, {"phase": "ready"}),
    ],
)
async def test_written_metadata_is_lost(cloud: Cloud, method: str, path: str, body: object, shown: dict[str, str]):
    """The answer is 200 with what was written, and the server has what it had."""
    server_id = await active(cloud)
    arm(cloud, FaultName.METADATA_LOST)
    answer = await cloud.http.request(method, f"{SERVERS}/{server_id}{path}", json=body)

    assert (answer.status_code, next(iter(answer.json().values()))) == (200, shown)
    assert (await cloud.show(server_id))["metadata"] == {}


async def test_erased_metadata_comes_back(cloud: Cloud):
    """An item whose deletion is lost is still there, although the answer is 204."""
    server_id = await cloud.create(metadata={"phase": "ready"})
    await cloud.settle()
    arm(cloud, FaultName.METADATA_LOST)
    answer = await cloud.http.delete(f"{SERVERS}/{server_id}/metadata/phase")

    assert (answer.status_code, (await cloud.show(server_id))["metadata"]) == (204, {"phase": "ready"})
