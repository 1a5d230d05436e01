"""Images that are made of servers, over HTTP (api-ref, createImage; glance api-ref, v2)."""

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
IMAGES = "/image/v2/images"
NEWER = {"OpenStack-API-Version": "compute 2.45"}


async def create_image(cloud: Cloud, server_id: str, name: str = "golden", **metadata: str) -> str:
    """Ask for an image of a server; gives its id."""
    body = {"createImage": {"name": name, "metadata": metadata}}
    answer = await cloud.http.post(f"{SERVERS}/{server_id}/action", json=body, headers=NEWER)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["image_id"])


async def ready(cloud: Cloud) -> str:
    """Create a server and wait until it is active."""
    server_id = await cloud.create()
    await cloud.settle()
    return server_id


async def status(cloud: Cloud, image_id: str) -> str:
    """Ask the image service how far an image is; `gone` when it is not there."""
    answer = await cloud.http.get(f"{IMAGES}/{image_id}")
    return "gone" if answer.status_code == 404 else str(answer.json()["status"])


async def test_an_image_is_queued_saving_and_active(cloud: Cloud):
    """The image is there at once, active when the disk is copied; the server has a task state until then."""
    server_id = await ready(cloud)
    cloud.machines.power.clear()
    image_id = await create_image(cloud, server_id)
    queued, task = await status(cloud, image_id), (await cloud.show(server_id))["OS-EXT-STS:task_state"]
    await cloud.machines.copying.wait()
    saving = await status(cloud, image_id)
    cloud.machines.power.set()
    await cloud.settle()

    assert (queued, saving, await status(cloud, image_id)) == ("queued", "saving", "active")
    assert task == "image_snapshot"
    assert (await cloud.show(server_id))["OS-EXT-STS:task_state"] is None
    assert cloud.machines.snapshots == {image_id}


async def test_where_the_id_is(cloud: Cloud):
    """Up to 2.44 the image's address is in Location and there is no body, since 2.45 the id is in the body."""
    server_id = await ready(cloud)
    body = {"createImage": {"name": "golden"}}
    answer = await cloud.http.post(f"{SERVERS}/{server_id}/action", json=body)
    root, _, image_id = answer.headers["Location"].rpartition("/")
    await cloud.settle()

    assert (answer.status_code, answer.content) == (202, b"")
    assert root == "http://127.9.0.1:5000/compute/v2.1/images"
    assert await status(cloud, image_id) == "active"
    newer = await cloud.http.post(f"{SERVERS}/{server_id}/action", json=body, headers=NEWER)
    assert set(newer.json()) == {"image_id"}
    assert "Location" not in newer.headers


async def test_what_an_image_says_of_itself(cloud: Cloud):
    """It is private, names its server and the image that began it all, and has the metadata that was asked for."""
    server_id = await ready(cloud)
    image_id = await create_image(cloud, server_id, app="guestbook")
    await cloud.settle()
    image = (await cloud.http.get(f"{IMAGES}/{image_id}")).json()

    assert (image["name"], image["visibility"], image["protected"]) == ("golden", "private", False)
    assert (image["image_type"], image["instance_uuid"], image["app"]) == ("snapshot", server_id, "guestbook")
    assert image["base_image_ref"] == cloud.image
    assert image["min_disk"] == 20
    assert image["owner"] == cloud.compute.credentials.project


async def test_a_server_boots_from_an_image_of_another(cloud: Cloud):
    """A server made from a snapshot has the snapshot as its disk, and names it as its image."""
    image_id = await create_image(cloud, await ready(cloud))
    await cloud.settle()
    server_id = await cloud.create(imageRef=image_id)
    await cloud.settle()

    assert cloud.machines.booted[server_id].snapshot == image_id
    assert (await cloud.show(server_id))["image"]["id"] == image_id


async def test_an_image_that_is_not_active_boots_nothing(cloud: Cloud):
    """A server cannot be made from an image that is being made, nor with a flavor that is too small for it."""
    server_id = await cloud.create(flavorRef="general1-2")
    await cloud.settle()
    cloud.machines.power.clear()
    image_id = await create_image(cloud, server_id)
    early = await cloud.http.post(SERVERS, json=cloud.body(imageRef=image_id))
    cloud.machines.power.set()
    await cloud.settle()
    small = await cloud.http.post(SERVERS, json=cloud.body(imageRef=image_id))

    assert early.json()["badRequest"]["message"] == f"Image {image_id} is not active."
    assert small.json()["badRequest"]["message"] == "Flavor's disk is too small for requested image."


async def test_a_copy_that_fails_leaves_no_image(cloud: Cloud):
    """When the disk cannot be copied the image goes, and the server stays as it was (nova, delete_image_on_error)."""
    server_id = await ready(cloud)
    cloud.machines.unreadable = "no space left"
    image_id = await create_image(cloud, server_id)
    await cloud.settle()

    assert await status(cloud, image_id) == "gone"
    assert (await cloud.show(server_id))["status"] == "ACTIVE"


async def test_deleting_the_server_gives_its_image_up(cloud: Cloud):
    """A server that is deleted while an image of it is made takes the image with it."""
    server_id = await ready(cloud)
    cloud.machines.power.clear()
    image_id = await create_image(cloud, server_id)
    await cloud.machines.copying.wait()
    await cloud.http.delete(f"{SERVERS}/{server_id}")
    cloud.machines.power.set()
    await cloud.settle()

    assert await status(cloud, image_id) == "gone"


async def test_an_image_deleted_while_it_is_made_leaves_no_disk(cloud: Cloud):
    """Deleting an image before it is active leaves nothing of it, when the copy is there."""
    server_id = await ready(cloud)
    cloud.machines.power.clear()
    image_id = await create_image(cloud, server_id)
    deleted = await cloud.http.delete(f"{IMAGES}/{image_id}")
    cloud.machines.power.set()
    await cloud.settle()

    assert deleted.status_code == 204
    assert cloud.machines.snapshots == set()
    assert (await cloud.show(server_id))["OS-EXT-STS:task_state"] is None


async def test_one_image_at_a_time(cloud: Cloud):
    """While an image is made of it a server takes no other action but delete: 409 with its task state."""
    server_id = await ready(cloud)
    cloud.machines.power.clear()
    await create_image(cloud, server_id)
    bodies = [{"createImage": {"name": "second"}}, {"os-stop": None}, {"reboot": {"type": "SOFT"}}]
    answers = [await cloud.http.post(f"{SERVERS}/{server_id}/action", json=body) for body in bodies]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert "task_state image_snapshot" in answers[0].json()["conflictingRequest"]["message"]


async def test_a_server_that_is_being_built_has_no_image(cloud: Cloud):
    """A server in BUILD cannot be made an image of: 409."""
    cloud.machines.power.clear()
    server_id = await cloud.create()
    answer = await cloud.http.post(f"{SERVERS}/{server_id}/action", json={"createImage": {"name": "golden"}})

    assert "vm_state building" in answer.json()["conflictingRequest"]["message"]


@pytest.mark.parametrize("wanted", [{}, {"name": ""}, {"name": "x", "size": 1}, {"name": "x", "metadata": {"a": 1}}])
async def test_malformed_requests_for_an_image(cloud: Cloud, wanted: dict[str, object]):
    """An image needs a name, metadata are text, and other keys are unknown: 400."""
    server_id = await ready(cloud)
    answer = await cloud.http.post(f"{SERVERS}/{server_id}/action", json={"createImage": wanted})

    assert answer.json()["badRequest"]["code"] == 400


async def test_a_server_dies_while_its_image_is_made(cloud: Cloud):
    """A machine that ends by itself meanwhile leaves an image, and its server shut off."""
    server_id = await ready(cloud)
    cloud.machines.power.clear()
    image_id = await create_image(cloud, server_id)
    cloud.servers.machine_died(server_id)
    cloud.machines.power.set()
    await cloud.settle()

    assert (await cloud.show(server_id))["status"] == "SHUTOFF"
    assert await status(cloud, image_id) == "active"


async def test_compute_shows_images_below_2_36(cloud: Cloud):
    """Below 2.36 compute shows snapshots as SAVING and ACTIVE, with their server, filtered by it, and deletes them."""
    server_id = await ready(cloud)
    cloud.machines.power.clear()
    image_id = await create_image(cloud, server_id)
    url = f"/compute/v2.1/images/{image_id}"
    saving = (await cloud.http.get(url)).json()["image"]
    cloud.machines.power.set()
    await cloud.settle()
    active = (await cloud.http.get("/compute/v2.1/images/detail", params={"server": server_id})).json()["images"]

    assert (saving["status"], saving["server"]["id"]) == ("SAVING", server_id)
    assert [(image["id"], image["status"]) for image in active] == [(image_id, "ACTIVE")]
    assert (await cloud.http.delete(url)).status_code == 204
    assert cloud.machines.snapshots == set()
