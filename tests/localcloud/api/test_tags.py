"""Tags of servers (api-ref, server tags; rest_api_version_history, 2.26)."""

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
SPEAKING = {"OpenStack-API-Version": "compute 2.26"}


async def send(cloud: Cloud, verb: str, url: str, body: object = None) -> int:
    """Send a request in 2.26; gives the status of the answer."""
    return (await cloud.http.request(verb, url, json=body, headers=SPEAKING)).status_code


@pytest.fixture
async def tags(cloud: Cloud) -> str:
    """Create a server; gives the address of its tags."""
    server_id = await cloud.create()
    await cloud.settle()
    return f"{SERVERS}/{server_id}/tags"


async def listed(cloud: Cloud, tags: str) -> list[str]:
    """List the tags of a server."""
    return list((await cloud.http.get(tags, headers=SPEAKING)).json()["tags"])


async def test_tags_one_by_one(cloud: Cloud, tags: str):
    """A tag is 201 when it is new, 204 when not; it is there or 404; removed, it is 404 as well."""
    url = f"{tags}/blue"
    answers = [await send(cloud, verb, url) for verb in ("GET", "PUT", "PUT", "GET", "DELETE", "DELETE")]

    assert answers == [404, 201, 204, 204, 204, 404]


async def test_tags_together(cloud: Cloud, tags: str):
    """All tags are replaced, once each, and removed."""
    replaced = await cloud.http.put(tags, json={"tags": ["a", "b", "a"]}, headers=SPEAKING)
    cleared = await send(cloud, "DELETE", tags)

    assert replaced.json() == {"tags": ["a", "b"]}
    assert (cleared, await listed(cloud, tags)) == (204, [])


@pytest.mark.parametrize("wanted", [["a,b"], ["a/b"], [""], ["x" * 61], [1], [str(number) for number in range(51)]])
async def test_tags_that_are_refused(cloud: Cloud, tags: str, wanted: list[object]):
    """A tag is 1 to 60 characters without comma and slash, and a server has at most 50: 400."""
    assert await send(cloud, "PUT", tags, {"tags": wanted}) == 400


async def test_a_51st_tag_is_refused(cloud: Cloud, tags: str):
    """One tag more than 50 is 400."""
    await send(cloud, "PUT", tags, {"tags": [str(number) for number in range(50)]})

    assert await send(cloud, "PUT", f"{tags}/more") == 400


async def test_tags_are_shown_and_filter(cloud: Cloud, tags: str):
    """A server shows its tags; `tags`, `tags-any`, `not-tags` and `not-tags-any` filter by them."""
    await send(cloud, "PUT", tags, {"tags": ["a", "b"]})
    found = {
        query: len((await cloud.http.get(f"{SERVERS}?{query}", headers=SPEAKING)).json()["servers"])
        for query in ("tags=a,b", "tags=a,c", "tags-any=b,c", "not-tags=a,b", "not-tags=a,c", "not-tags-any=b,c")
    }

    assert (await cloud.show(tags.split("/")[-2], **SPEAKING))["tags"] == ["a", "b"]
    assert list(found.values()) == [1, 0, 1, 0, 1, 0]


async def test_there_are_no_tags_before_2_26(cloud: Cloud, tags: str):
    """Below 2.26 tags are 404."""
    assert (await cloud.http.get(tags)).status_code == 404


async def test_tags_do_not_change_while_a_server_is_built(cloud: Cloud):
    """A server in BUILD keeps its tags: 409."""
    cloud.machines.power.clear()
    server_id = await cloud.create()

    assert await send(cloud, "PUT", f"{SERVERS}/{server_id}/tags/blue") == 409
