from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.cloud.compute import NovaCompute
from tasks.cloud.identity import open_cloud
from tasks.cloud.profiles import ServerProfile
from tasks.rollout.labels import Labels, Phase
from tasks.rollout.model import ServerRequest
from tests.cloud.wire import SERVICES, Reply, Request, Wire, token

RACKSPACE = "cloudServersOpenStack"
OPENSTACK = "nova"
IMAGE = "11111111-1111-1111-1111-111111111111"
PROFILE = ServerProfile(app="guestbook", environment="live", image=IMAGE, flavor="2")
LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)

Create = Callable[..., Request]


@pytest.fixture
def create(wire: Wire, clouds_yaml: Path, monkeypatch: pytest.MonkeyPatch) -> Create:
    """Create a server in a cloud whose compute service has a name, and give the request that was received."""

    def created(compute_name: str, **changes: Any) -> Request:
        monkeypatch.setitem(SERVICES, "compute", (compute_name, SERVICES["compute"][1]))
        wire.on("POST", "tokens", Reply(body=token(wire.url)))
        wire.on("GET", "/images/detail$", Reply(body={"images": [{"id": IMAGE}]}))
        wire.on("GET", "/flavors/detail$", Reply(body={"flavors": [{"id": "2", "name": "small"}]}))
        wire.on("POST", "/servers$", Reply(status=202, body={"server": {"id": "server-1"}}))
        access = open_cloud("here", clouds_yaml=clouds_yaml)
        NovaCompute(access, replace(PROFILE, **changes)).create(ServerRequest(name="n", labels=LABELS))
        return wire.received("POST", "/servers$")[-1]

    return created


@pytest.mark.parametrize(("compute_name", "header"), [(RACKSPACE, None), (OPENSTACK, "2.1")])
def test_trap_20_each_kind_of_cloud_has_a_microversion_of_its_own(
    create: Create, compute_name: str, header: str | None
) -> None:
    """Rackspace knows no microversions and is asked for none; every other cloud is asked for 2.1, never the newest."""
    assert create(compute_name).headers.get("x-openstack-nova-api-version") == header


def test_a_microversion_that_is_set_counts(create: Create) -> None:
    """The settings may name another microversion, whatever kind of cloud it is."""
    assert create(RACKSPACE, microversion="2.53").headers["x-openstack-nova-api-version"] == "2.53"


@pytest.mark.parametrize(
    ("compute_name", "profile", "sent"),
    [
        (RACKSPACE, {"user_data": "#!/bin/sh"}, True),
        (RACKSPACE, {"user_data": "#!/bin/sh", "config_drive": False}, None),
        (RACKSPACE, {}, None),
        (OPENSTACK, {"user_data": "#!/bin/sh"}, None),
        (OPENSTACK, {"config_drive": True}, True),
    ],
)
def test_user_data_gets_a_config_drive_where_it_needs_one(
    create: Create, compute_name: str, profile: dict[str, Any], sent: bool | None
) -> None:
    """At Rackspace user data arrives on a config drive only; elsewhere, and where it is set, nothing is added."""
    assert create(compute_name, **profile).body["server"].get("config_drive") == sent
