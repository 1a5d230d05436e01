"""Parts for tests of the clouds: a scripted cloud at the wire, and access to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tasks.cloud.identity import Access, open_cloud
from tasks.cloud.patient import Pace
from tests.cloud.virtual_clock import VirtualClock
from tests.cloud.wire import PROJECT, REGION, Wire

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
