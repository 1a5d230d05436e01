"""Bad days of a whole cloud in a process of its own: what is asked for on the command line strikes its clients."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from keystoneauth1.session import Session

from tests.localcloud.daemons import LocalCloud, eventually, local_cloud
from tests.localcloud.octavia_api import listener_body, pool_body

BALANCERS = {"service_type": "load-balancer"}
LOST = r"(?i)connect|remote end closed"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Run a cloud."""
    with local_cloud(tmp_path_factory.mktemp("faults") / "state") as running:
        running.up("--isolation", "processes", "--pending-seconds", "0")
        yield running


@pytest.fixture
def session(cloud: LocalCloud) -> Iterator[Session]:
    """Open a session that has logged in; the faults are cleared after the test."""
    opened = cloud.session()
    opened.get_token()
    yield opened
    cloud.run("fault", "--clear")


def arm(cloud: LocalCloud, *arguments: str) -> None:
    """Ask for a fault on the command line."""
    done = cloud.run("fault", *arguments)
    assert done.returncode == 0, done.stderr


def image(session: Session) -> str:
    """Give the id of the one image."""
    return str(session.get("/images", endpoint_filter={"service_type": "image"}).json()["images"][0]["id"])


def load_balancer(session: Session) -> dict[str, Any]:
    """Have an ACTIVE load balancer with a listener and a pool."""
    network = {"service_type": "network"}
    subnet = session.get("/v2.0/subnets", endpoint_filter=network).json()["subnets"][0]["id"]
    wanted = {"vip_subnet_id": subnet, "name": "web", "listeners": [listener_body(default_pool=pool_body(name="pool"))]}
    created = session.post("/v2/lbaas/loadbalancers", json={"loadbalancer": wanted}, endpoint_filter=BALANCERS).json()
    path = f"/v2/lbaas/loadbalancers/{created['loadbalancer']['id']}"

    def active() -> bool:
        shown = session.get(path, endpoint_filter=BALANCERS).json()["loadbalancer"]
        return bool(shown["provisioning_status"] == "ACTIVE")

    assert eventually(active)
    return dict(created["loadbalancer"])


def test_a_build_dies(cloud: LocalCloud, session: Session):
    """Nova's client sees the server in ERROR, with the fault."""
    arm(cloud, "build-dies", "--match", "web-1")
    nova = cloud.nova()
    server = nova.servers.create("web-1", image(session), "general1-1")
    dead = eventually(lambda: (seen := nova.servers.get(server.id)).status == "ERROR" and seen)

    assert dead.fault["message"].startswith("No valid host was found.")
    assert "    web-1" in cloud.run("fault", "--list").stdout.splitlines()


def test_an_answer_is_lost(cloud: LocalCloud, session: Session):
    """The client's connection is closed without an answer, and the key pair is there."""
    arm(cloud, "api-timeout-but-done", "--seconds", "0")
    compute = {"service_type": "compute"}
    lost = {"keypair": {"name": "lost"}}
    with pytest.raises(Exception, match=LOST):
        session.post("/os-keypairs", json=lost, endpoint_filter=compute, connect_retries=0)

    names = session.get("/os-keypairs", endpoint_filter=compute).json()["keypairs"]
    assert [each["keypair"]["name"] for each in names] == ["lost"]


def test_a_load_balancer_is_busy(cloud: LocalCloud, session: Session):
    """Octavia refuses the change with 409, and says PENDING_UPDATE."""
    balancer = load_balancer(session)
    arm(cloud, "balancer-busy", "--match", "web", "--seconds", "3600")
    path = f"/v2/lbaas/loadbalancers/{balancer['id']}"
    refused = session.put(path, json={"loadbalancer": {"description": "x"}}, endpoint_filter=BALANCERS, raise_exc=False)
    shown = session.get(path, endpoint_filter=BALANCERS).json()["loadbalancer"]

    assert (refused.status_code, shown["provisioning_status"]) == (409, "PENDING_UPDATE")


def test_a_request_is_held_until_it_is_let_go(cloud: LocalCloud, session: Session):
    """The held request is told to who polls, and its client gets no answer."""
    status = cloud.status()
    headers = {"Authorization": f"Bearer {status['control_token']}"}
    url = f"{status['control_url']}/holds"
    armed = requests.post(url, json={"request": 1, "moment": "before"}, headers=headers, timeout=10)
    with ThreadPoolExecutor() as pool:
        servers = {"service_type": "compute"}
        lost = pool.submit(session.get, "/servers", endpoint_filter=servers, connect_retries=0)
        held = requests.get(url, params={"wait": 20}, headers=headers, timeout=30).json()["held"]
        requests.delete(url, headers=headers, timeout=10)

        assert (armed.status_code, held["what"]) == (201, "GET /compute/v2.1/servers")
        with pytest.raises(Exception, match=LOST):
            lost.result()


@pytest.mark.parametrize("name", ["api-500", "api-503", "over-limit", "api-timeout"])
def test_the_logs_can_be_read_on_a_bad_day(cloud: LocalCloud, session: Session, name: str):
    """`logs` does without the servers' names when a fault strikes its question for them."""
    arm(cloud, name, "--seconds", "0", "--match", "GET /compute/v2.1/servers")
    shown = cloud.run("logs")

    assert (shown.returncode, "==> daemon: " in shown.stdout) == (0, True)
    assert "struck 1 times" in cloud.run("fault", "--list").stdout


def test_a_cloud_ends_while_a_request_has_no_answer(tmp_path: Path):
    """`down` does not wait for requests that stand still, and neither do their clients."""
    with local_cloud(tmp_path / "state") as other, ThreadPoolExecutor() as pool:
        other.up("--isolation", "processes")
        arm(other, "api-timeout", "--seconds", "3600")
        opened = other.session()
        opened.get_token()
        lost = pool.submit(opened.get, "/servers", endpoint_filter={"service_type": "compute"}, connect_retries=0)
        assert eventually(lambda: "struck 1 times" in other.run("fault", "--list").stdout)

        assert other.run("down").returncode == 0
        assert lost.exception() is not None
