"""Lists of Octavia: filters, tags, order, pages and fields (Octavia api-ref, filtering and pagination)."""

import pytest

from tests.localcloud.octavia_api import listener_body, octavia, pool_body

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def api(tmp_path_factory):
    """Run a service with three load balancers."""
    async with octavia(tmp_path_factory.mktemp("octavia")) as running:
        await running.create(name="b", tags=["red", "round"], listeners=[listener_body()])
        await running.create(name="a", tags=["red"], admin_state_up=False, pools=[pool_body(name="p")])
        await running.create(name="c")
        yield running


async def names(api, **query) -> list[str]:
    """List the load balancers that a query finds."""
    return [each["name"] for each in (await api.get("/loadbalancers", **query))["loadbalancers"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["b", "a", "c"]),
        ({"name": "a"}, ["a"]),
        ({"name": ["a", "c"]}, ["a", "c"]),
        ({"admin_state_up": "false"}, ["a"]),
        ({"provisioning_status": "ACTIVE", "operating_status": "OFFLINE"}, ["a"]),
        ({"project_id": "somebody else's"}, []),
        ({"tags": "red"}, ["b", "a"]),
        ({"tags": "red,round"}, ["b"]),
        ({"tags-any": "round,square"}, ["b"]),
        ({"not-tags": "red,round"}, ["a", "c"]),
        ({"not-tags-any": "red"}, ["c"]),
        ({"cache-busting": "1"}, ["b", "a", "c"]),
        ({"sort": "name"}, ["a", "b", "c"]),
        ({"sort": "admin_state_up,name:desc"}, ["a", "c", "b"]),
        ({"sort_key": "name", "sort_dir": "desc"}, ["c", "b", "a"]),
    ],
)
async def test_lists_are_filtered_and_sorted(api, query, found):
    """Every attribute filters, tags in four ways; parameters that name nothing are ignored; the oldest comes first."""
    assert await names(api, **query) == found


async def test_pages_follow_each_other(api):
    """`limit` makes pages, and the link `next` leads through all of them, with the filters kept."""
    page = await api.get("/loadbalancers", limit=2, sort="name")
    [link] = page["loadbalancers_links"]
    rest = (await api.http.get(link["href"])).json()

    assert [each["name"] for each in page["loadbalancers"]] == ["a", "b"]
    assert (link["rel"], [each["name"] for each in rest["loadbalancers"]]) == ("next", ["c"])
    [back] = rest["loadbalancers_links"]
    before = (await api.http.get(back["href"])).json()
    assert (back["rel"], [each["name"] for each in before["loadbalancers"]]) == ("previous", ["a", "b"])


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"marker": "nobody"}, "Supplied pagination marker 'nobody' is not valid."),
        ({"limit": "few"}, "Supplied pagination limit 'few' is not valid."),
        ({"sort": "beauty"}, "Supplied sort key 'beauty' is not valid."),
        ({"sort": "name:sideways"}, "Supplied sort direction 'sideways' is not valid."),
    ],
)
async def test_impossible_pages_are_refused(api, query, says):
    """A marker, limit or order that makes no sense is 400."""
    answer = await api.http.get("/loadbalancers", params=query)

    assert (answer.status_code, answer.json()["faultstring"]) == (400, says)


async def test_fields_leave_the_rest_out(api):
    """`fields` chooses attributes, in lists and of one thing."""
    listed = (await api.get("/loadbalancers", name="a", fields=["id", "name"]))["loadbalancers"]
    shown = await api.get(f"/loadbalancers/{listed[0]['id']}", fields="name")

    assert set(listed[0]) == {"id", "name"}
    assert shown == {"loadbalancer": {"name": "a"}}


async def test_listeners_and_pools_are_listed_by_load_balancer(api):
    """`loadbalancer_id` narrows lists of listeners and pools down."""
    of = {each["name"]: each["id"] for each in (await api.get("/loadbalancers"))["loadbalancers"]}
    found = {
        name: [len((await api.get(f"/{kind}", loadbalancer_id=balancer))[kind]) for kind in ("listeners", "pools")]
        for name, balancer in of.items()
    }
    assert found == {"b": [1, 0], "a": [0, 1], "c": [0, 0]}
