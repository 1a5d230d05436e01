"""Parts for tests of the clouds: a scripted cloud at the wire, and access to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.cloud.compute import NovaCompute
from tasks.cloud.identity import Access, open_cloud
from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.cloud.patient import Pace
from tests.cloud import compute_wire, octavia_wire
from tests.cloud.compute_wire import Build, absolute
from tests.cloud.octavia_wire import ACCEPTED, ALL_MEMBERS, DELETED, member, stands, versions
from tests.cloud.virtual_clock import VirtualClock
from tests.cloud.wire import PROJECT, REGION, Reply, Wire

PASSWORD = "correct horse"


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Serve a scripted cloud while the test runs."""
    with Wire().serving() as served:
        yield served


@pytest.fixture
def clouds_yaml(wire: Wire, tmp_path: Path) -> Path:
    """Write the clouds.yaml of a user of that cloud."""
    path = tmp_path / "clouds.yaml"
    auth = {"auth_url": f"{wire.url}/identity/v2.0", "username": "ann", "password": PASSWORD, "tenant_name": PROJECT}
    cloud = {"auth_type": "v2password", "auth": auth, "region_name": REGION}
    path.write_text(yaml.safe_dump({"clouds": {"here": cloud}}))
    return path


@pytest.fixture
def access(clouds_yaml: Path) -> Access:
    """Open that cloud."""
    return open_cloud("here", clouds_yaml=clouds_yaml)


@pytest.fixture
def clock() -> VirtualClock:
    """Make a clock that takes no time."""
    return VirtualClock()


@pytest.fixture
def said() -> list[str]:
    """Collect what is said about waits."""
    return []


@pytest.fixture
def pace(clock: VirtualClock, said: list[str]) -> Pace:
    """Be as patient as usual, on a clock that takes no time."""
    return Pace(clock=clock, on_wait=said.append)


@pytest.fixture
def build(access: Access, pace: Pace, wire: Wire) -> Build:
    """Make the compute port of a cloud that offers an image, a flavor and room."""
    images = [{"id": "image-1", "name": "Debian 12"}, {"id": "image-2", "name": "Debian 11"}]
    wire.on("GET", "/images/detail$", Reply(body={"images": images}))
    flavors = [{"id": "flavor-1", "name": "small", "ram": 1024, "vcpus": 2}]
    wire.on("GET", "/flavors/detail$", Reply(body={"flavors": flavors}))
    wire.on("GET", "/limits$", Reply(body={"limits": {"rate": [], "absolute": absolute()}}))
    wire.on("POST", "/servers$", Reply(status=202, body={"server": {"id": "server-1", "links": [], "adminPass": "x"}}))
    return lambda **changes: NovaCompute(access, replace(compute_wire.PROFILE, **changes), pace)


@pytest.fixture
def octavia(access: Access, pace: Pace, wire: Wire) -> OctaviaLoadBalancers:
    """Make the load balancer port of an Octavia that takes additive batches."""
    versions(wire, "v2.0", "v2.11")
    wire.on("PUT", ALL_MEMBERS, ACCEPTED)
    wire.on("DELETE", "/members/", DELETED)
    stands(wire, member(1), member(2))
    return OctaviaLoadBalancers(access, octavia_wire.PROFILE, pace)


@pytest.fixture(scope="session", params=["rackspace", "openstack"])
def local(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Start a local cloud with each face once, and end it.

    A load balancer stays busy long enough for a second change to find it so.
    """
    state = ["--state-dir", str(tmp_path_factory.mktemp("cloud") / "state"), "--json"]
    options = ["--face", request.param, "--pending-seconds", "0.8"]
    program = [sys.executable, "-m", "tasks.localcloud"]
    up = subprocess.run([*program, "up", *options, *state], check=True, capture_output=True, text=True, timeout=60)
    try:
        yield {**json.loads(up.stdout), "face": request.param}
    finally:
        subprocess.run([*program, "down", *state], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="session")
def opened(local: dict[str, Any]) -> Access:
    """Open it the way a deploy does."""
    return open_cloud("local", clouds_yaml=Path(local["clouds_yaml"]))
