"""The image service: lists, changes, tags (glance api-ref, v2, images)."""

from typing import Any

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
IMAGES = "/image/v2/images"
PATCH = "application/openstack-images-v2.1-json-patch"


@pytest.fixture
async def image(cloud: Cloud) -> str:
    """Make an image of a server; gives its id."""
    return await snapshot(cloud, "golden")


async def snapshot(cloud: Cloud, name: str) -> str:
    """Make an image of a new server; gives its id."""
    server_id = await cloud.create()
    await cloud.settle()
    made = cloud.compute.snapshots.begin(server_id, name, {"app": "guestbook"})
    await cloud.settle()
    return made.id


async def patch(cloud: Cloud, image: str, *operations: dict[str, Any], media_type: str = PATCH) -> Any:
    """Send a JSON patch."""
    return await cloud.http.patch(f"{IMAGES}/{image}", json=operations, headers={"Content-Type": media_type})


async def listed(cloud: Cloud, query: str) -> list[str]:
    """List the names of the images that match a query."""
    answer = await cloud.http.get(f"{IMAGES}?{query}")
    assert answer.status_code == 200, answer.text
    return [image["name"] for image in answer.json()["images"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["golden", "Local Linux"]),
        ("visibility=private", ["golden"]),
        ("visibility=public", ["Local Linux"]),
        ("visibility=all", ["golden", "Local Linux"]),
        ("image_type=snapshot", ["golden"]),
        ("app=guestbook&status=active", ["golden"]),
        ("status=in:queued,saving", []),
        ("name=in:golden,other", ["golden"]),
        ("protected=true", ["Local Linux"]),
        ("created_at=gte:2020-01-01T00:00:00Z", ["golden", "Local Linux"]),
        ("created_at=lt:2020-01-01T00:00:00Z", []),
        ("tag=blue", []),
        ("sort=name:asc", ["Local Linux", "golden"]),
        ("sort_key=name&sort_dir=desc", ["golden", "Local Linux"]),
        ("member_status=all", ["golden", "Local Linux"]),
        ("os_hidden=true", []),
    ],
)
async def test_filters_and_order(cloud: Cloud, image: str, query: str, found: list[str]):
    """Any field filters by its exact value or by `in:`, times by comparison; order is by key and direction."""
    assert await listed(cloud, query) == found


@pytest.mark.parametrize("query", ["limit=many", "marker=nobody", "sort=beauty", "created_at=gt:yesterday"])
async def test_malformed_queries(cloud: Cloud, image: str, query: str):
    """A limit, marker, order or time that makes no sense is a bad request."""
    assert (await cloud.http.get(f"{IMAGES}?{query}")).status_code == 400


async def test_pages_follow_each_other(cloud: Cloud):
    """`next` leads through all images, each once."""
    for name in ("one", "two"):
        await snapshot(cloud, name)
    url, seen = f"{IMAGES}?limit=1", []
    while url:
        answer = (await cloud.http.get(url)).json()
        seen += [shown["name"] for shown in answer["images"]]
        url = f"/image{answer['next']}" if "next" in answer else ""

    assert seen == ["two", "one", "Local Linux"]


async def test_fields_and_properties_are_changed(cloud: Cloud, image: str):
    """A patch renames an image, adds, replaces and removes properties, and answers with what is there now."""
    answer = await patch(
        cloud,
        image,
        {"op": "replace", "path": "/name", "value": "silver"},
        {"op": "add", "path": "/release", "value": "v2"},
        {"op": "replace", "path": "/app", "value": "blog"},
        {"op": "remove", "path": "/image_type"},
    )
    shown = (await cloud.http.get(f"{IMAGES}/{image}")).json()

    assert answer.status_code == 200
    assert answer.json() == shown
    assert (shown["name"], shown["release"], shown["app"]) == ("silver", "v2", "blog")
    assert "image_type" not in shown


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ({"op": "replace", "path": "/status", "value": "queued"}, 403),
        ({"op": "replace", "path": "/unknown", "value": "x"}, 409),
        ({"op": "remove", "path": "/unknown"}, 409),
        ({"op": "remove", "path": "/name"}, 400),
        ({"op": "replace", "path": "/protected", "value": "yes"}, 400),
        ({"op": "add", "path": "/release", "value": 2}, 400),
        ({"op": "move", "path": "/name"}, 400),
        ({"op": "add", "path": "name", "value": "x"}, 400),
    ],
)
async def test_changes_that_are_refused(cloud: Cloud, image: str, operation: dict[str, Any], status: int):
    """Read-only fields are 403, properties that are not there 409, malformed operations 400; nothing is changed."""
    before = (await cloud.http.get(f"{IMAGES}/{image}")).json()
    rename = {"op": "replace", "path": "/name", "value": "half-way"}
    answer = await patch(cloud, image, rename, operation)

    assert answer.status_code == status
    assert (await cloud.http.get(f"{IMAGES}/{image}")).json() == before


async def test_a_patch_names_its_media_type(cloud: Cloud, image: str):
    """A body that does not say that it is a JSON patch of images is 415."""
    assert (await patch(cloud, image, media_type="application/json")).status_code == 415


async def test_a_protected_image_stays(cloud: Cloud, image: str):
    """A protected image cannot be deleted until it is not protected any more."""
    await patch(cloud, image, {"op": "replace", "path": "/protected", "value": True})
    refused = await cloud.http.delete(f"{IMAGES}/{image}")
    await patch(cloud, image, {"op": "replace", "path": "/protected", "value": False})

    assert refused.status_code == 403
    assert (await cloud.http.delete(f"{IMAGES}/{image}")).status_code == 204
    assert (await cloud.http.get(f"{IMAGES}/{image}")).status_code == 404
    assert cloud.machines.snapshots == set()


async def test_the_clouds_own_image_cannot_be_changed(cloud: Cloud):
    """The image of this machine is nobody's to change, tag or delete: 403."""
    url = f"{IMAGES}/{cloud.image}"
    answers = [
        await patch(cloud, cloud.image, {"op": "replace", "path": "/name", "value": "mine"}),
        await cloud.http.put(f"{url}/tags/blue"),
        await cloud.http.delete(url),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


async def test_tags(cloud: Cloud, image: str):
    """A tag is added once, finds the image, and is removed once (glance api-ref, image tags)."""
    url = f"{IMAGES}/{image}/tags/blue"
    added = [(await cloud.http.put(url)).status_code for _ in range(2)]
    found = await listed(cloud, "tag=blue")
    removed = [(await cloud.http.delete(url)).status_code for _ in range(2)]

    assert (added, removed) == ([204, 204], [204, 404])
    assert found == ["golden"]


async def test_an_image_is_shared_with_nobody(cloud: Cloud, image: str):
    """There is one project, so an image has no members."""
    assert (await cloud.http.get(f"{IMAGES}/{image}/members")).json()["members"] == []
