"""Metadata of servers (api-ref, server metadata)."""

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url(cloud: Cloud) -> str:
    """Give the metadata URL of a server that has app and phase."""
    server_id = await cloud.create(metadata={"app": "guestbook", "phase": "booting"})
    await cloud.settle()
    return f"/compute/v2.1/servers/{server_id}/metadata"


async def items(cloud: Cloud, url: str) -> dict[str, str]:
    """Read all items."""
    return dict((await cloud.http.get(url)).json()["metadata"])


async def test_post_leaves_other_items(cloud: Cloud, url: str):
    """POST sets the items given and keeps the others; the answer has all."""
    answer = await cloud.http.post(url, json={"metadata": {"phase": "ready"}})

    assert (answer.status_code, answer.json()) == (200, {"metadata": {"app": "guestbook", "phase": "ready"}})
    assert await items(cloud, url) == {"app": "guestbook", "phase": "ready"}


async def test_put_drops_other_items(cloud: Cloud, url: str):
    """PUT replaces everything."""
    answer = await cloud.http.put(url, json={"metadata": {"phase": "ready"}})

    assert (answer.status_code, answer.json()) == (200, {"metadata": {"phase": "ready"}})
    assert await items(cloud, url) == {"phase": "ready"}


async def test_one_item(cloud: Cloud, url: str):
    """An item can be shown, set and dropped by its key."""
    shown = await cloud.http.get(f"{url}/app")
    written = await cloud.http.put(f"{url}/app", json={"meta": {"app": "other"}})
    dropped = await cloud.http.delete(f"{url}/phase")

    assert shown.json() == {"meta": {"app": "guestbook"}}
    assert (written.status_code, written.json()) == (200, {"meta": {"app": "other"}})
    assert dropped.status_code == 204
    assert await items(cloud, url) == {"app": "other"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_missing_item(cloud: Cloud, url: str, method: str):
    """An item that is not there is 404."""
    answer = await cloud.http.request(method, f"{url}/owner")

    assert answer.json()["itemNotFound"]["message"] == "Metadata item was not found"


@pytest.mark.parametrize("meta", [{"other": "value"}, {"app": "x", "other": "y"}, {}, {"app": 1}])
async def test_an_item_must_fit_its_path(cloud: Cloud, url: str, meta: dict[str, object]):
    """The body of PUT has exactly the item that the path names."""
    assert (await cloud.http.put(f"{url}/app", json={"meta": meta})).status_code == 400
    assert (await items(cloud, url))["app"] == "guestbook"


async def test_more_than_128_items(cloud: Cloud, url: str):
    """Items beyond the limit are forbidden and change nothing."""
    many = {f"key{number}": "" for number in range(127)}

    assert (await cloud.http.post(url, json={"metadata": many})).status_code == 403
    assert len(await items(cloud, url)) == 2


async def test_metadata_is_fixed_during_a_build(cloud: Cloud):
    """While a server is built its metadata can be read, and changing it is a conflict."""
    cloud.machines.power.clear()
    server_id = await cloud.create(metadata={"app": "guestbook"})
    url = f"/compute/v2.1/servers/{server_id}/metadata"

    assert await items(cloud, url) == {"app": "guestbook"}
    answer = await cloud.http.post(url, json={"metadata": {"phase": "ready"}})
    assert answer.json()["conflictingRequest"]["message"].startswith("Cannot 'update metadata' instance")


async def test_a_server_shows_its_metadata(cloud: Cloud, url: str):
    """What was set is what the server itself shows."""
    await cloud.http.post(url, json={"metadata": {"phase": "ready"}})
    server = await cloud.show(url.split("/")[-2])

    assert server["metadata"] == {"app": "guestbook", "phase": "ready"}
