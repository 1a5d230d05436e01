"""Flavors, images, keypairs and limits over HTTP."""

import pytest

from tasks.localcloud.compute.quotas import Quota
from tests.localcloud.cloud import ED25519, Cloud, in_memory

pytestmark = pytest.mark.anyio
COMPUTE = "/compute/v2.1"


async def test_flavors_are_called_as_rackspaces(cloud: Cloud):
    """Flavors have ids such as general1-1, with RAM in MiB and disk in GiB (Cloud Servers docs, flavors)."""
    flavors = (await cloud.http.get(f"{COMPUTE}/flavors/detail")).json()["flavors"]
    shown = (await cloud.http.get(f"{COMPUTE}/flavors/general1-1")).json()["flavor"]

    assert [flavor["id"] for flavor in flavors] == ["general1-1", "general1-2", "general1-4", "general1-8"]
    assert (shown["ram"], shown["vcpus"], shown["disk"], shown["swap"]) == (1024, 1, 20, "")


@pytest.mark.parametrize("path", ["flavors/none", "images/none", "os-keypairs/none", "flavors/none/os-extra_specs"])
async def test_what_does_not_exist(cloud: Cloud, path: str):
    """An unknown flavor, image or keypair is 404."""
    assert (await cloud.http.get(f"{COMPUTE}/{path}")).json()["itemNotFound"]["code"] == 404


async def test_compute_and_image_service_show_the_same_image(cloud: Cloud):
    """The one image has the same id and name in compute and in the image service."""
    compute = (await cloud.http.get(f"{COMPUTE}/images/detail")).json()["images"]
    service = (await cloud.http.get("/image/v2/images")).json()["images"]

    assert [(image["id"], image["name"]) for image in compute] == [(image["id"], image["name"]) for image in service]
    assert service[0]["name"] == "Local Linux"
    assert service[0]["status"] == "active"


@pytest.mark.parametrize(("name", "number"), [("{name}", 1), ("other", 0)])
async def test_images_are_found_by_name(cloud: Cloud, name: str, number: int):
    """The image service filters by the exact name (glance api-ref, images)."""
    query = {"name": name.format(name=cloud.compute.images.all()[0].name)}

    assert len((await cloud.http.get("/image/v2/images", params=query)).json()["images"]) == number


async def test_one_image(cloud: Cloud):
    """The image service shows one image unwrapped, and 404 for an unknown one."""
    shown = await cloud.http.get(f"/image/v2/images/{cloud.image}")

    assert shown.json()["id"] == cloud.image
    assert (await cloud.http.get("/image/v2/images/none")).status_code == 404


async def test_keypairs(cloud: Cloud):
    """A keypair is imported, listed, shown, refused a second time, and deleted (api-ref, keypairs)."""
    body = {"keypair": {"name": "deploy", "public_key": ED25519}}
    url = f"{COMPUTE}/os-keypairs"
    imported = (await cloud.http.post(url, json=body)).json()["keypair"]
    again = await cloud.http.post(url, json=body)
    listed = (await cloud.http.get(url)).json()["keypairs"]
    shown = (await cloud.http.get(f"{url}/deploy")).json()["keypair"]

    assert [entry["keypair"]["fingerprint"] for entry in listed] == [imported["fingerprint"]]
    assert shown["public_key"] == ED25519
    assert again.json()["conflictingRequest"]["code"] == 409
    assert (await cloud.http.delete(f"{url}/deploy")).status_code == 202
    assert (await cloud.http.delete(f"{url}/deploy")).status_code == 404


async def test_limits_count_what_is_used():
    """Absolute limits show the quota and how much of it servers use (api-ref, limits)."""
    async with in_memory(Quota(instances=3)) as cloud:
        await cloud.create(flavorRef="general1-2")
        absolute = (await cloud.http.get(f"{COMPUTE}/limits")).json()["limits"]["absolute"]

    assert (absolute["maxTotalInstances"], absolute["totalInstancesUsed"]) == (3, 1)
    assert (absolute["totalRAMUsed"], absolute["totalCoresUsed"]) == (2048, 2)
    assert absolute["maxPersonality"] == 5


async def test_quota_sets(cloud: Cloud):
    """The project's own quota can be seen, another one's is forbidden (api-ref, quota sets)."""
    project = cloud.compute.credentials.project
    own = (await cloud.http.get(f"{COMPUTE}/os-quota-sets/{project}")).json()["quota_set"]
    foreign = await cloud.http.get(f"{COMPUTE}/os-quota-sets/1")

    assert (own["id"], own["instances"], own["injected_files"]) == (project, 100, 5)
    assert foreign.json()["forbidden"]["code"] == 403


async def test_quota_sets_in_detail(cloud: Cloud):
    """In detail each limit stands with what is used of it (api-ref, quota sets)."""
    await cloud.create(flavorRef="general1-2")
    project = cloud.compute.credentials.project
    quota = (await cloud.http.get(f"{COMPUTE}/os-quota-sets/{project}/detail")).json()["quota_set"]

    assert quota["instances"] == {"limit": 100, "in_use": 1, "reserved": 0}
    assert quota["ram"]["in_use"] == 2048
    assert (await cloud.http.get(f"{COMPUTE}/os-quota-sets/1/detail")).status_code == 403


async def test_the_availability_zone(cloud: Cloud):
    """There is one zone, the one that servers show; its hosts are for administrators (api-ref, availability zones)."""
    [zone] = (await cloud.http.get(f"{COMPUTE}/os-availability-zone")).json()["availabilityZoneInfo"]
    server = await cloud.show(await cloud.create())

    assert zone == {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}
    assert server["OS-EXT-AZ:availability_zone"] == zone["zoneName"]
    assert (await cloud.http.get(f"{COMPUTE}/os-availability-zone/detail")).status_code == 403


async def test_injection_leaves_with_2_57(cloud: Cloud):
    """From 2.57 on neither limits nor quotas speak of injected files (rest_api_version_history, 2.57)."""
    spoken = {"OpenStack-API-Version": "compute 2.57"}
    limits = (await cloud.http.get(f"{COMPUTE}/limits", headers=spoken)).json()["limits"]["absolute"]
    project = cloud.compute.credentials.project
    quota = (await cloud.http.get(f"{COMPUTE}/os-quota-sets/{project}", headers=spoken)).json()["quota_set"]

    assert "maxPersonality" not in limits
    assert "injected_files" not in quota
