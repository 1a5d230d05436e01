"""The port Compute against a cloud that really boots servers: the local one, with the face of each kind of cloud."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.session import Session

from tasks.cloud.compute import NovaCompute
from tasks.cloud.identity import Access, open_cloud
from tasks.cloud.keypairs import name_for
from tasks.cloud.profiles import ServerProfile
from tasks.cloud.rackspace import ApiKey
from tasks.errors import NotFound, Unauthorized
from tasks.rollout.labels import Labels, Phase
from tasks.rollout.model import Server, ServerRequest, ServerStatus
from tests.cloud.local_waiting import wait
from tests.cloud.problems import problems

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPVqLSwwTwkGOCBBYHVbsJv0DNOPgqzyLbEFpFbZ8LfA ann@laptop"
LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)
PROFILE = ServerProfile(app="guestbook", environment="live", image="Local Linux", flavor="general1-1", public_key=KEY)


def test_an_api_key_opens_the_same_cloud(local: dict[str, Any]) -> None:
    """The v2.0 API-key login of Rackspace gives a token and the same project; other clouds have no v2.0."""
    if local["face"] == "openstack":
        assert local["auth_url_v2"] is None
        return
    key = ApiKey(local["auth_url_v2"], username=local["username"], api_key=local["api_key"])

    assert Session(auth=key).get_project_id() == local["project"]


def test_a_wrong_password_is_refused(local: dict[str, Any], tmp_path: Path) -> None:
    """A v3 login with a wrong password is one clear error."""
    broken = tmp_path / "clouds.yaml"
    broken.write_text(Path(local["clouds_yaml"]).read_text().replace(local["password"], "wrong"))

    with pytest.raises(Unauthorized, match="logging in to cloud 'local'"):
        open_cloud("local", clouds_yaml=broken)


@pytest.mark.parametrize("microversion", ["", "2", "2.1", "2.53", "2.96"])
def test_preflight_works_at_every_microversion(opened: Access, microversion: str) -> None:
    """Images, flavors, keypairs and limits are read at old and new microversions alike."""
    compute = NovaCompute(opened, replace(PROFILE, microversion=microversion))

    assert problems(compute.findings(extra_servers=2)) == []
    assert compute.servers() == ()


def test_a_quota_is_foreseen(opened: Access) -> None:
    """More servers than the quota has room for are a problem before the first one is asked for."""
    compute = NovaCompute(opened, PROFILE)
    allowed = compute.limits().servers.allowed or 0

    assert "the quota is too small" in problems(compute.findings(extra_servers=allowed + 1))[0]


def test_room_shrinks_with_servers(opened: Access) -> None:
    """There is room until preflight would object."""
    compute = NovaCompute(opened, PROFILE)
    room = compute.room()

    assert room is not None
    assert problems(compute.findings(extra_servers=room)) == []
    assert problems(compute.findings(extra_servers=room + 1)) != []


def test_the_clock_of_a_cloud_on_this_machine_is_this_machines(opened: Access) -> None:
    """The answers tell the time to a minute at least, with no answer before."""
    assert abs(NovaCompute(opened, PROFILE).now() - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("microversion", ["2.1", "2.96"])
def test_a_keypair_is_a_spare_when_its_operator_has_another(opened: Access, microversion: str) -> None:
    """The key with which a server was made is kept with it; then those who come with another key may discard it."""
    compute = NovaCompute(opened, replace(PROFILE, microversion=microversion))
    successor = NovaCompute(opened, replace(PROFILE, public_key="", microversion=microversion))
    asked = compute.create(ServerRequest(name="guestbook-7-0", labels=LABELS))
    assert compute.spares() == successor.spares() == ()

    compute.delete(asked.id)
    wait(lambda: True if compute.servers() == () else None, "the server to be gone")
    assert compute.spares() == ()
    [spare] = successor.spares()
    assert (spare.kind, spare.name) == ("keypair", name_for(PROFILE))
    assert spare.created is not None
    for _ in range(2):
        successor.discard(spare)
    assert successor.spares() == ()


def test_an_image_that_says_it_is_ours_is_a_spare(opened: Access) -> None:
    """A snapshot with our mark is listed until a server is made from it, and can be discarded afterwards."""
    compute, api = NovaCompute(opened, PROFILE), opened.adapter("compute", opened.session, what="servers")
    asked = compute.create(ServerRequest(name="guestbook-7-0", labels=LABELS))
    wait(lambda: True if compute.server(asked.id).status is ServerStatus.ACTIVE else None, "the server")
    mark = {"app": "guestbook", "environment": "live"}
    api.post(f"/servers/{asked.id}/action", json={"createImage": {"name": "baked", "metadata": mark}})
    wait(lambda: compute.spares() or None, "the image")
    [spare] = compute.spares()
    assert (spare.kind, spare.name) == ("image", "baked")

    baked = NovaCompute(opened, replace(PROFILE, image=spare.id)).create(ServerRequest(name="b", labels=LABELS))
    assert compute.spares() == ()

    for server_id in (asked.id, baked.id):
        compute.delete(server_id)
    wait(lambda: True if compute.servers() == () else None, "the servers to be gone")
    for _ in range(2):
        compute.discard(spare)
    assert compute.spares() == ()


def test_the_life_of_a_server(opened: Access) -> None:
    """A server is asked for, becomes ACTIVE, prints its host keys, is labelled, and is deleted until it is gone."""
    compute = NovaCompute(opened, PROFILE)

    asked = compute.create(ServerRequest(name="guestbook-7-0", labels=LABELS))
    assert asked.status is ServerStatus.BUILD

    def active() -> Server | None:
        seen = compute.server(asked.id)
        return seen if seen.status is not ServerStatus.BUILD else None

    built = wait(active, "the server")
    assert (built.status, built.name, built.labels) == (ServerStatus.ACTIVE, "guestbook-7-0", LABELS)
    assert built.private_ip is not None
    wait(lambda: "BEGIN SSH HOST KEY KEYS" in compute.console(built.id) or None, "its host keys")

    assert built.private_ip in compute.addresses()
    compute.note(built.id, "claim-a1", "x" * 255)
    for _ in range(2):
        compute.erase(built.id, "claim-a1")
    compute.label(built.passed(Phase.SET_UP))
    assert [server.phase for server in compute.servers()] == [Phase.SET_UP]

    stranger = NovaCompute(opened, replace(PROFILE, app="other"))
    assert stranger.servers() == ()
    with pytest.raises(NotFound):
        stranger.server(built.id)

    compute.delete(built.id)
    wait(lambda: True if compute.servers() == () else None, "the server to be gone")
    compute.delete(built.id)
    with pytest.raises(NotFound):
        compute.server(built.id)
