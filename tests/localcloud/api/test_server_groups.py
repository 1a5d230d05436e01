"""Server groups (api-ref, server groups; rest_api_version_history, 2.13, 2.15, 2.64, 2.71)."""

from typing import Any

import pytest

from tasks.localcloud.compute.quotas import Quota
from tests.localcloud.cloud import Cloud, in_memory

pytestmark = pytest.mark.anyio
GROUPS = "/compute/v2.1/os-server-groups"
SERVERS = "/compute/v2.1/servers"


def speak(version: str) -> dict[str, str]:
    """Give the header that asks for a microversion."""
    return {"OpenStack-API-Version": f"compute {version}"}


async def create(cloud: Cloud, version: str = "2.1", **wanted: Any) -> dict[str, Any]:
    """Make a group."""
    policy = {"policy": "anti-affinity"} if version >= "2.64" else {"policies": ["anti-affinity"]}
    body = {"server_group": {"name": "web", **policy, **wanted}}
    answer = await cloud.http.post(GROUPS, json=body, headers=speak(version))
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["server_group"])


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("2.1", {"id", "name", "members", "policies", "metadata"}),
        ("2.13", {"id", "name", "members", "policies", "metadata", "project_id", "user_id"}),
        ("2.64", {"id", "name", "members", "policy", "rules", "project_id", "user_id"}),
    ],
)
async def test_fields_of_a_group(cloud: Cloud, version: str, fields: set[str]):
    """A group has policies and metadata up to 2.63, its owner from 2.13 on, one policy with rules since 2.64."""
    group = await create(cloud, version)
    shown = (await cloud.http.get(f"{GROUPS}/{group['id']}", headers=speak(version))).json()["server_group"]
    [listed] = (await cloud.http.get(GROUPS, headers=speak(version))).json()["server_groups"]

    assert set(group) == fields
    assert group == shown == listed


async def test_rules_are_of_anti_affinity(cloud: Cloud):
    """`max_server_per_host` is a rule of anti-affinity alone."""
    rules = {"max_server_per_host": 3}
    group = await create(cloud, "2.64", rules=rules)
    body = {"server_group": {"name": "web", "policy": "affinity", "rules": rules}}
    refused = await cloud.http.post(GROUPS, json=body, headers=speak("2.64"))

    assert group["rules"] == rules
    assert refused.json()["badRequest"]["message"] == "Only anti-affinity policy supports rules."


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("2.1", {"name": "web", "policies": ["soft-affinity"]}),
        ("2.1", {"name": "web", "policies": ["affinity", "anti-affinity"]}),
        ("2.1", {"name": "web", "policies": []}),
        ("2.63", {"name": "web", "policy": "affinity"}),
        ("2.64", {"name": "web", "policies": ["affinity"]}),
        ("2.64", {"name": "web", "policy": "near"}),
        ("2.64", {"name": " ", "policy": "affinity"}),
    ],
)
async def test_groups_that_are_refused(cloud: Cloud, version: str, wanted: dict[str, Any]):
    """Unknown policies, soft ones below 2.15, more than one, and the other version's key: 400."""
    answer = await cloud.http.post(GROUPS, json={"server_group": wanted}, headers=speak(version))

    assert answer.json()["badRequest"]["code"] == 400


@pytest.mark.parametrize("hints", ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"])
async def test_a_server_is_created_into_a_group(cloud: Cloud, hints: str):
    """A scheduler hint names the group; the group has the server as member until it is deleted, the server names it."""
    group = await create(cloud)
    created = await cloud.http.post(SERVERS, json={**cloud.body(), hints: {"group": group["id"], "other": [1]}})
    server_id = created.json()["server"]["id"]
    await cloud.settle()
    shown = await cloud.show(server_id, **speak("2.71"))
    members = (await cloud.http.get(f"{GROUPS}/{group['id']}")).json()["server_group"]["members"]
    await cloud.http.delete(f"{SERVERS}/{server_id}")
    await cloud.settle()

    assert shown["server_groups"] == [group["id"]]
    assert members == [server_id]
    assert (await cloud.http.get(f"{GROUPS}/{group['id']}")).json()["server_group"]["members"] == []


async def test_a_list_of_servers_does_not_name_groups(cloud: Cloud):
    """`server_groups` is shown of one server alone (rest_api_version_history, 2.71)."""
    await cloud.create()
    [listed] = (await cloud.http.get(f"{SERVERS}/detail", headers=speak("2.71"))).json()["servers"]

    assert "server_groups" not in listed


async def test_an_unknown_group(cloud: Cloud):
    """A group that does not exist is 404, and 400 as a scheduler hint."""
    hinted = await cloud.http.post(SERVERS, json={**cloud.body(), "os:scheduler_hints": {"group": "none"}})

    assert hinted.json()["badRequest"]["message"] == "Instance group none could not be found."
    assert [(await cloud.http.request(verb, f"{GROUPS}/none")).status_code for verb in ("GET", "DELETE")] == [404, 404]


async def test_a_deleted_group_leaves_its_servers(cloud: Cloud):
    """Deleting a group is 204; the servers in it stay."""
    group = await create(cloud)
    server_id = await cloud.create()
    deleted = await cloud.http.delete(f"{GROUPS}/{group['id']}")

    assert deleted.status_code == 204
    assert (await cloud.http.get(GROUPS)).json() == {"server_groups": []}
    assert (await cloud.show(server_id))["name"] == "web"


async def test_quotas_of_groups():
    """One group or member more than the quota allows is 403; limits count the groups."""
    async with in_memory(Quota(server_groups=1, server_group_members=1)) as cloud:
        group = await create(cloud)
        more = await cloud.http.post(GROUPS, json={"server_group": {"name": "b", "policies": ["affinity"]}})
        hint = {"os:scheduler_hints": {"group": group["id"]}}
        members = [(await cloud.http.post(SERVERS, json={**cloud.body(), **hint})).status_code for _ in range(2)]
        limits = (await cloud.http.get("/compute/v2.1/limits")).json()["limits"]["absolute"]

    assert more.json()["forbidden"]["message"] == "Quota exceeded, too many server groups."
    assert members == [202, 403]
    assert (limits["maxServerGroups"], limits["totalServerGroupsUsed"]) == (1, 1)


async def test_groups_are_listed_in_pages(cloud: Cloud):
    """`limit` and `offset` cut the list, which is oldest first."""
    ids = [(await create(cloud))["id"] for _ in range(3)]
    page = (await cloud.http.get(f"{GROUPS}?limit=1&offset=1")).json()["server_groups"]

    assert [group["id"] for group in page] == ids[1:2]
    assert (await cloud.http.get(f"{GROUPS}?limit=-1")).status_code == 400
