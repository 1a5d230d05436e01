"""openstacksdk, unmodified, on a running local cloud: compute, images and identity."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openstack import exceptions
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from tasks.localcloud.compute.images import NAME
from tests.localcloud.cloud import ED25519
from tests.localcloud.daemons import LocalCloud, eventually, local_cloud

pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.OpenStackDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Give a running cloud."""
    with local_cloud(tmp_path_factory.mktemp("sdk") / "state") as started:
        started.up()
        yield started


@pytest.fixture(scope="module")
def sdk(running: LocalCloud) -> Iterator[Connection]:
    """Connect by the cloud's clouds.yaml, in a microversion that has tags."""
    config = running.config()
    config.config["compute_default_microversion"] = "2.72"
    with Connection(config=config) as connection:
        yield connection


@pytest.fixture
def server(sdk: Connection) -> Iterator[Any]:
    """Create a server and wait until it is active; it is deleted in the end."""
    made = create(sdk, f"web-{uuid.uuid4().hex[:6]}", sdk.get_image(NAME).id)
    yield made
    sdk.compute.delete_server(made.id, ignore_missing=True)


def create(sdk: Connection, name: str, image: str, **more: Any) -> Any:
    """Create a server and wait until it is active, without the five seconds between two looks of create_server."""
    made = sdk.compute.create_server(name=name, image_id=image, flavor_id="general1-1", networks="auto", **more)
    return sdk.compute.wait_for_server(made, interval=0.05, wait=30)


def test_create_server_waits_until_it_is_active(sdk: Connection):
    """create_server by names, with key, metadata and tags, gives an active server with its private IP."""
    sdk.create_keypair("deploy", ED25519)
    made = sdk.create_server(
        "web-1",
        image=NAME,
        flavor="1 GB General Purpose v1",
        key_name="deploy",
        meta={"app": "guestbook"},
        tags=["blue"],
        wait=True,
        timeout=30,
    )

    assert (made.status, made.key_name) == ("ACTIVE", "deploy")
    assert (made.metadata, made.tags) == ({"app": "guestbook"}, ["blue"])
    assert made.addresses["private"][0]["addr"].startswith("127.")
    assert sdk.get_server("web-1").id == made.id
    assert sdk.delete_server(made.id)
    eventually(lambda: sdk.get_server("web-1") is None)
    assert sdk.delete_keypair("deploy")


def test_a_server_is_stopped_started_and_renamed(sdk: Connection, server: Any):
    """stop_server and start_server reach their states, update_server renames."""
    sdk.compute.stop_server(server)
    sdk.compute.wait_for_server(server, "SHUTOFF", interval=0.05, wait=30)
    sdk.compute.start_server(server)
    sdk.compute.wait_for_server(server, "ACTIVE", interval=0.05, wait=30)
    renamed = sdk.compute.update_server(server, name="renamed")

    assert renamed.name == "renamed"
    assert sdk.compute.get_server(server.id).name == "renamed"


def test_tags_and_metadata_of_a_server(sdk: Connection, server: Any):
    """Tags are added, found and removed; metadata set and deleted."""
    sdk.compute.add_tag_to_server(server, "green")
    found = [one.id for one in sdk.compute.servers(details=False, tags="green")]
    sdk.compute.remove_tag_from_server(server, "green")
    sdk.set_server_metadata(server.id, {"phase": "ready", "slot": "1"})
    sdk.delete_server_metadata(server.id, ["slot"])
    seen = sdk.compute.get_server(server.id)

    assert found == [server.id]
    assert (seen.tags, seen.metadata) == ([], {"phase": "ready"})


def test_an_image_of_a_server_boots_another(sdk: Connection, server: Any):
    """create_image_snapshot gives an image whose properties can be changed, which boots, and which is deleted."""
    image = sdk.create_image_snapshot("golden", server.id, app="guestbook")
    eventually(lambda: sdk.image.get_image(image.id).status == "active")
    sdk.update_image_properties(image=sdk.get_image(image.id), meta={"app": "blog"})
    changed = sdk.image.get_image(image.id)
    copy = create(sdk, "copy", image.id)
    sdk.delete_server(copy.id)

    assert (changed.status, changed.visibility, changed.instance_uuid) == ("active", "private", server.id)
    assert changed.properties["app"] == "blog"
    assert copy.image.id == image.id
    assert sdk.delete_image(image.id, wait=True)
    assert sdk.get_image("golden") is None
    with pytest.raises(exceptions.ForbiddenException):
        sdk.image.delete_image(sdk.get_image(NAME).id)


def test_server_groups(sdk: Connection):
    """A server group takes the servers that name it, and is deleted."""
    group = sdk.create_server_group("web", policy="anti-affinity")
    made = create(sdk, "grouped", sdk.get_image(NAME).id, scheduler_hints={"group": group.id})

    assert sdk.get_server_group("web").member_ids == [made.id]
    assert sdk.delete_server(made.id)
    assert sdk.delete_server_group(group.id)
    assert sdk.list_server_groups() == []


def test_what_is_offered_and_how_much_is_used(sdk: Connection, server: Any):
    """Flavors, zones, limits and quotas are read; a server counts."""
    limits = sdk.get_compute_limits()
    quotas = sdk.get_compute_quotas(sdk.current_project_id)

    assert sdk.get_flavor_by_ram(2000).id == "general1-2"
    assert [zone.name for zone in sdk.compute.availability_zones()] == ["nova"]
    assert limits.total_instances_used >= 1
    assert (quotas.instances, quotas.server_groups) == (100, 10)


def test_refusals_are_the_sdks_own(sdk: Connection):
    """An unknown image and an unknown server are errors that the SDK knows."""
    with pytest.raises(exceptions.BadRequestException, match="Can not find requested image"):
        sdk.compute.create_server(name="web", image_id="none", flavor_id="general1-1", networks="auto")
    with pytest.raises(exceptions.NotFoundException):
        sdk.compute.get_server("none")


def connection(auth_url: str, folder: Path, **auth: str) -> Connection:
    """Connect by an application credential."""
    settings = {"auth_type": "v3applicationcredential", "auth": {"auth_url": auth_url, **auth}, "region_name": "ORD"}
    config = OpenStackConfig(config_files=[str(folder / "none")], secure_files=[], load_envvars=False)
    return Connection(config=config.get_one(**settings))


def test_an_application_credential_opens_the_cloud(sdk: Connection, running: LocalCloud, tmp_path: Path):
    """An application credential that was made by password opens compute until it is deleted, and makes no others."""
    user, auth_url = sdk.current_user_id, running.status()["auth_url_v3"]
    made = sdk.identity.create_application_credential(user, name="ci")
    shown = {"application_credential_id": made.id, "application_credential_secret": made.secret}
    with connection(auth_url, tmp_path, **shown) as ci:
        opened = list(ci.compute.flavors())
        with pytest.raises(exceptions.ForbiddenException, match="not allowed for managing"):
            ci.identity.create_application_credential(user, name="more")
        sdk.identity.delete_application_credential(user, made)
        eventually(lambda: not _opens(ci))

    assert len(opened) == 4
    assert [kept.name for kept in sdk.identity.application_credentials(user)] == []


def _opens(cloud: Connection) -> bool:
    try:
        list(cloud.compute.servers())
    except exceptions.SDKException:
        return False
    except Exception as error:  # noqa: BLE001  keystoneauth's own, when no new token is to be had
        assert "401" in str(error)  # noqa: PT017  any other error is a failure
        return False
    return True


def test_what_identity_knows(sdk: Connection):
    """Projects, regions and the user are found as far as users may."""
    [project] = sdk.identity.user_projects(sdk.current_user_id)
    [region] = sdk.identity.regions()

    assert project.id == sdk.current_project_id
    assert region.id == "ORD"
    assert sdk.identity.get_user(sdk.current_user_id).name == "local"
    with pytest.raises(exceptions.ForbiddenException):
        list(sdk.identity.users())
