"""Lists of servers: filters and pages (api-ref, servers, list; nova _get_servers)."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.localcloud.cloud import Cloud, in_memory

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"


async def names(cloud: Cloud, query: str, **headers: str) -> list[str]:
    """List the names of the servers that match a query."""
    answer = await cloud.http.get(f"{SERVERS}?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [server["name"] for server in answer.json()["servers"]]


async def test_newest_first(cloud: Cloud):
    """A list begins with the newest server; without details it has ids, names and links."""
    for name in ("one", "two"):
        await cloud.create(name)
    servers = (await cloud.http.get(SERVERS)).json()["servers"]

    assert [server["name"] for server in servers] == ["two", "one"]
    assert set(servers[0]) == {"id", "name", "links"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=bob", ["bobbin", "bob"]),
        ("name=^bob$", ["bob"]),
        ("name=alice", []),
        ("status=ACTIVE", ["bobbin", "bob"]),
        ("status=active", ["bobbin", "bob"]),
        ("status=ERROR", []),
        ("status=ERROR&status=ACTIVE", ["bobbin", "bob"]),
        ("flavor=general1-1", ["bobbin", "bob"]),
        ("flavor=general1-2", []),
        ("image=none", []),
        ("ip=127.9.2.1$", ["bob"]),
        ("name=bob&ip=127.9.2.2$", ["bobbin"]),
        ("tag=mistyped", ["bobbin", "bob"]),
        ("name=", ["bobbin", "bob"]),
    ],
)
async def test_filters(cloud: Cloud, query: str, found: list[str]):
    """Names and IPs are unanchored regular expressions, filters add up, mistyped ones are ignored below 2.75."""
    for name in ("bob", "bobbin"):
        await cloud.create(name)
    await cloud.settle()

    assert await names(cloud, query) == found


async def test_metadata_is_no_filter(cloud: Cloud):
    """A filter by metadata is dropped silently for users: all servers come back (nova, remove_invalid_options)."""
    await cloud.create("web", metadata={"app": "guestbook"})

    assert await names(cloud, "metadata={'app':'other'}") == ["web"]


async def test_tags_are_a_filter_from_2_26_on(cloud: Cloud):
    """Tags filter from 2.26 on and are ignored before."""
    spoken = {"OpenStack-API-Version": "compute 2.52"}
    for name, tags in (("old", ["a"]), ("new", ["a", "b"])):
        body = cloud.body(name, tags=tags, networks="auto")
        assert (await cloud.http.post(SERVERS, json=body, headers=spoken)).status_code == 202

    assert await names(cloud, "tags=a,b", **spoken) == ["new"]
    assert await names(cloud, "tags-any=b,c", **spoken) == ["new"]
    assert await names(cloud, "tags=b") == ["new", "old"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sort_key=display_name", ["c", "b", "a"]),
        ("sort_key=display_name&sort_dir=asc", ["a", "b", "c"]),
        ("sort_key=created_at&sort_dir=asc", ["b", "c", "a"]),
        ("sort_key=vm_state&sort_key=display_name&sort_dir=asc&sort_dir=asc", ["a", "b", "c"]),
    ],
)
async def test_order(cloud: Cloud, query: str, found: list[str]):
    """A list is ordered by sort keys, each with a direction that is desc when not given (api-ref, servers, list)."""
    for name in ("b", "c", "a"):
        await cloud.create(name)

    assert await names(cloud, query) == found


@pytest.mark.parametrize(
    "query",
    [
        "name=(",
        "sort_key=beauty",
        "sort_key=uuid&sort_dir=up",
        "limit=-1",
        "limit=ten",
        "marker=unknown",
        "changes-since=yesterday",
    ],
)
async def test_malformed_queries(cloud: Cloud, query: str):
    """A regular expression, number, marker or time that makes no sense is a bad request."""
    assert (await cloud.http.get(f"{SERVERS}?{query}")).status_code == 400


@pytest.mark.parametrize("query", ["all_tenants=1", "status=DELETED"])
async def test_what_only_administrators_list(cloud: Cloud, query: str):
    """Other projects' servers and deleted ones by status are forbidden to users."""
    assert (await cloud.http.get(f"{SERVERS}?{query}")).status_code == 403


async def test_changes_since_lists_deleted_servers(cloud: Cloud):
    """With changes-since a deleted server is listed with status DELETED; without it, it is not listed."""
    server_id = await cloud.create()
    await cloud.settle()
    await cloud.http.delete(f"{SERVERS}/{server_id}")
    await cloud.settle()
    hour = timedelta(hours=1)
    listed = [
        (await cloud.http.get(f"{SERVERS}/detail", params={"changes-since": moment.isoformat()})).json()["servers"]
        for moment in (datetime.now(UTC) - hour, datetime.now(UTC) + hour)
    ]

    assert [[server["status"] for server in servers] for servers in listed] == [["DELETED"], []]
    assert await names(cloud, "") == []


async def test_changes_before_is_a_filter_from_2_66_on(cloud: Cloud):
    """Servers, deleted ones too, that changed before a moment are listed from 2.66 on; before, all of them are."""
    await cloud.create()
    past, future = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))
    spoken = {"OpenStack-API-Version": "compute 2.66"}
    found = [
        len((await cloud.http.get(SERVERS, params={"changes-before": str(moment)}, headers=headers)).json()["servers"])
        for moment, headers in ((past, spoken), (future, spoken), (past, {}))
    ]

    assert found == [0, 1, 1]


@pytest.mark.parametrize("query", ["changes-before=soon", "changes-since=2026-02-01&changes-before=2026-01-01"])
async def test_moments_that_make_no_sense(cloud: Cloud, query: str):
    """A moment that is none, or an end before the beginning, is a bad request (rest_api_version_history, 2.66)."""
    answer = await cloud.http.get(f"{SERVERS}?{query}", headers={"OpenStack-API-Version": "compute 2.66"})

    assert answer.status_code == 400


async def test_pages_follow_each_other(cloud: Cloud):
    """A full page has a next link, which keeps the filters; following them gives every server once."""
    for number in range(5):
        await cloud.create(f"web-{number}")
    url, seen = f"{SERVERS}/detail?limit=2&name=web", []
    while url:
        answer = (await cloud.http.get(url)).json()
        seen += [server["name"] for server in answer["servers"]]
        url = answer.get("servers_links", [{"href": ""}])[0]["href"]

    assert seen == [f"web-{number}" for number in reversed(range(5))]


async def test_a_full_last_page_has_a_link_too(cloud: Cloud):
    """A page as long as its limit has a next link even when nothing follows (nova, _get_collection_links)."""
    server_id = await cloud.create()
    answer = (await cloud.http.get(f"{SERVERS}?limit=1")).json()
    [link] = answer["servers_links"]

    assert link["rel"] == "next"
    assert re.search(rf"marker={server_id}$", link["href"])
    assert (await cloud.http.get(link["href"])).json() == {"servers": []}


async def test_pages_have_a_cap():
    """More than the cloud's page size is never given at once, whatever limit is asked for (nova/conf/api.py)."""
    async with in_memory(page_limit=2) as cloud:
        for number in range(3):
            await cloud.create(f"web-{number}")

        assert len(await names(cloud, "")) == 2
        assert len(await names(cloud, "limit=100")) == 2
