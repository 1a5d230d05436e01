"""The `openstack` command, unmodified, on a running local cloud: compute, images and identity."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.daemons import eventually, local_cloud

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def openstack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Give the command, on a running cloud whose clouds.yaml is all it is told."""
    with local_cloud(tmp_path_factory.mktemp("command") / "state") as cloud:
        cloud.up()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        settings = {"OS_CLIENT_CONFIG_FILE": str(cloud.state_dir / "clouds.yaml"), "OS_CLOUD": "local"}

        def run(*arguments: str) -> Any:
            command = [str(Path(sys.executable).with_name("openstack")), *arguments]
            done = subprocess.run(
                command, env=inherited | settings, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout) if "json" in arguments else done.stdout

        yield run


def test_identity(openstack: Command):
    """An application credential is made, listed and deleted; the catalog is read."""
    made = openstack("application", "credential", "create", "ci", "-f", "json")
    listed = openstack("application", "credential", "list", "-f", "json")
    openstack("application", "credential", "delete", "ci")
    catalog = openstack("catalog", "list", "-f", "json")

    assert made["Secret"]
    assert [(kept["Name"], kept["ID"]) for kept in listed] == [("ci", made["ID"])]
    assert {"compute", "image", "identity"} <= {service["Type"] for service in catalog}


def test_a_server_and_an_image_of_it(openstack: Command):
    """A server is created by names, renamed and listed; an image of it is made, changed and deleted; then it goes."""
    new = ("--image", "Local Linux", "--flavor", "general1-1", "--property", "app=guestbook")
    created = openstack("server", "create", *new, "web-1", "-f", "json")
    eventually(lambda: openstack("server", "show", "web-1", "-f", "json")["status"] == "ACTIVE")
    openstack("server", "set", "--name", "web-2", "web-1")
    [listed] = openstack("server", "list", "-f", "json")
    openstack("server", "image", "create", "--name", "golden", "web-2")
    eventually(lambda: openstack("image", "show", "golden", "-f", "json")["status"] == "active")
    openstack("image", "set", "--property", "app=blog", "golden")
    image = openstack("image", "show", "golden", "-f", "json")
    openstack("image", "delete", "golden")
    openstack("server", "delete", "web-2")

    assert (listed["ID"], listed["Name"], listed["Flavor"]) == (created["id"], "web-2", "1 GB General Purpose v1")
    assert image["properties"]["app"] == "blog"
    assert image["properties"]["instance_uuid"] == created["id"]
    assert "golden" not in openstack("image", "list")
