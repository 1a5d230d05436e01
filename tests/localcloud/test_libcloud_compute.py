"""apache-libcloud's OpenStack compute driver, unmodified, on a running local cloud."""

from collections.abc import Iterator
from typing import Any

import pytest
from libcloud.common.types import InvalidCredsError
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

from tasks.localcloud.compute.images import NAME
from tests.localcloud.cloud import ED25519
from tests.localcloud.daemons import LocalCloud, eventually, local_cloud


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Give a running cloud with OpenStack's names for its services, which libcloud looks for."""
    with local_cloud(tmp_path_factory.mktemp("libcloud") / "state") as started:
        started.up("--face", "openstack")
        yield started


def log_in(running: LocalCloud, **changes: str) -> Any:
    """Make a driver that logs in by password."""
    status = running.status()
    identity = status["auth_url_v3"].removesuffix("/v3")
    settings = {
        "ex_force_auth_url": identity,
        "ex_force_auth_version": "3.x_password",
        "ex_tenant_name": status["project"],
        "ex_domain_name": "Default",
        "ex_force_service_region": "ORD",
        "api_version": "2.2",
    }
    return get_driver(Provider.OPENSTACK)(status["username"], changes.pop("password", status["password"]), **settings)


@pytest.fixture(scope="module")
def driver(running: LocalCloud) -> Any:
    """Log in to the compute and image services."""
    return log_in(running)


@pytest.fixture
def node(driver: Any) -> Iterator[Any]:
    """Create a node and wait until it runs."""
    [image] = [image for image in driver.list_images() if image.name == NAME]
    made = driver.create_node(name="web-1", image=image, size=driver.list_sizes()[0], ex_metadata={"app": "guestbook"})
    [(node, _)] = driver.wait_until_running([made], wait_period=0.05, timeout=30)
    yield node
    driver.destroy_node(node)
    eventually(lambda: node.id not in {other.id for other in driver.list_nodes()})


def state_of(driver: Any, node: Any) -> str:
    """Ask for the state of a node."""
    return str(driver.ex_get_node_details(node.id).state)


def test_a_wrong_password_is_refused(running: LocalCloud):
    """A wrong password is libcloud's InvalidCredsError."""
    with pytest.raises(InvalidCredsError):
        log_in(running, password="wrong").list_sizes()


def test_what_nodes_are_made_of(driver: Any):
    """Images, sizes and key pairs are listed; a key pair is imported, found and deleted."""
    driver.import_key_pair_from_string("deploy", ED25519)
    found = driver.get_key_pair("deploy")

    assert [(size.id, size.ram, size.disk) for size in driver.list_sizes()][:2] == [
        ("general1-1", 1024, 20),
        ("general1-2", 2048, 40),
    ]
    assert NAME in {image.name for image in driver.list_images()}
    assert found.public_key == ED25519
    assert driver.delete_key_pair(found)
    assert driver.list_key_pairs() == []


def test_a_node_lives(driver: Any, node: Any):
    """A node has its address and metadata, is rebooted, stopped, started and renamed."""
    driver.reboot_node(node)
    eventually(lambda: state_of(driver, node) == NodeState.RUNNING)
    driver.stop_node(node)
    eventually(lambda: state_of(driver, node) == NodeState.STOPPED)
    driver.start_node(node)
    eventually(lambda: state_of(driver, node) == NodeState.RUNNING)
    renamed = driver.ex_set_server_name(node, "web-2")

    assert (node.public_ips + node.private_ips)[0].startswith("127.")
    assert driver.ex_get_metadata(node) == {"app": "guestbook"}
    assert driver.ex_set_metadata(node, {"phase": "ready"}) == {"phase": "ready"}
    assert renamed.name == "web-2"
    assert "SSH HOST KEY" in driver.ex_get_console_output(node)["output"]


def test_an_image_of_a_node_makes_another(driver: Any, node: Any):
    """create_image makes an image of a node, from which another node is made; then the image is deleted."""
    made = driver.create_image(node, "golden")
    eventually(lambda: driver.get_image(made.id).extra["status"] == "active")
    other = driver.create_node(name="copy", image=driver.get_image(made.id), size=driver.list_sizes()[0])
    [(copy, _)] = driver.wait_until_running([other], wait_period=0.05, timeout=30)

    assert copy.extra["imageId"] == made.id
    assert driver.destroy_node(copy)
    assert driver.delete_image(made)
    assert "golden" not in {image.name for image in driver.list_images()}
