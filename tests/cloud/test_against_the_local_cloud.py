"""Both ports against a cloud that really boots servers and really balances: the local one, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.session import Session

from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.compute import NovaCompute
from tasks.cloud.identity import Access, open_cloud
from tasks.cloud.profiles import BalancerProfile, HealthMonitor, Persistence, ServerProfile
from tasks.cloud.rackspace import ApiKey
from tasks.errors import Conflict, Immutable, NotFound, QuotaExceeded, Unauthorized
from tasks.rollout.model import (
    BalancerStatus,
    Condition,
    Labels,
    Listener,
    LoadBalancer,
    Phase,
    Server,
    ServerRequest,
    ServerStatus,
)
from tasks.waiting import Patience, Seen, WallClock, until

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPVqLSwwTwkGOCBBYHVbsJv0DNOPgqzyLbEFpFbZ8LfA ann@laptop"
LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)
PROFILE = ServerProfile(app="guestbook", environment="live", image="Local Linux", flavor="general1-1", public_key=KEY)
HTTP = Listener(name="guestbook-live-http", port=8080, protocol="HTTP", node_port=8000)
HTTPS = Listener(name="guestbook-live-https", port=8443, protocol="HTTP", node_port=8000)


def wait(look: Callable[[], Seen | None], what: str) -> Seen:
    """Wait for something that the local cloud does in a second or two."""
    return until(look, what=what, patience=Patience(limit=60.0, longest=0.5), clock=WallClock())


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Start a local cloud for this module, and end it."""
    state = ["--state-dir", str(tmp_path_factory.mktemp("cloud") / "state"), "--json"]
    program = [sys.executable, "-m", "tasks.localcloud"]
    up = subprocess.run([*program, "up", *state], check=True, capture_output=True, text=True, timeout=60)
    try:
        yield json.loads(up.stdout)
    finally:
        subprocess.run([*program, "down", *state], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def opened(local: dict[str, Any]) -> Access:
    """Open it the way a deploy does."""
    return open_cloud("local", clouds_yaml=Path(local["clouds_yaml"]))


def balancer_when(balancers: CloudLoadBalancers, balancer_id: str, status: BalancerStatus) -> LoadBalancer:
    """Wait until a load balancer has a status."""

    def look() -> LoadBalancer | None:
        seen = balancers.show(balancer_id)
        return seen if seen.status is status else None

    return wait(look, f"load balancer {balancer_id} to be {status}")


def test_an_api_key_opens_the_same_cloud(local: dict[str, Any]) -> None:
    """The v2.0 API-key login of Rackspace gives a token and the same project."""
    key = ApiKey(local["auth_url_v2"], username=local["username"], api_key=local["api_key"])

    assert Session(auth=key).get_project_id() == local["project"]


def test_a_wrong_password_is_refused(local: dict[str, Any], tmp_path: Path) -> None:
    """A v3 login with a wrong password is one clear error."""
    broken = tmp_path / "clouds.yaml"
    broken.write_text(Path(local["clouds_yaml"]).read_text().replace(local["password"], "wrong"))

    with pytest.raises(Unauthorized, match="logging in to cloud 'local'"):
        open_cloud("local", clouds_yaml=broken)


@pytest.mark.parametrize("microversion", ["2", "2.1", "2.53", "2.96"])
def test_preflight_works_at_every_microversion(opened: Access, microversion: str) -> None:
    """Images, flavors, keypairs and limits are read at old and new microversions alike."""
    compute = NovaCompute(opened, replace(PROFILE, microversion=microversion))

    assert compute.problems(extra_servers=2) == []
    assert compute.servers() == ()


def test_a_quota_is_foreseen(opened: Access) -> None:
    """More servers than the quota has room for are a problem before the first one is asked for."""
    compute = NovaCompute(opened, PROFILE)
    allowed = compute.limits().servers.allowed or 0

    assert "the quota is too small" in compute.problems(extra_servers=allowed + 1)[0]


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
    assert "BEGIN SSH HOST KEY KEYS" in compute.console(built.id)

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


def test_the_life_of_two_load_balancers(opened: Access) -> None:
    """Two share a virtual IP; nodes are added, drained and removed, and every refusal is the error it should be."""
    profile = BalancerProfile(
        app="guestbook", environment="live", monitor=HealthMonitor(delay=1, timeout=1), persistence=Persistence.COOKIE
    )
    balancers = CloudLoadBalancers(opened, profile)
    assert balancers.find([HTTP, HTTPS]) == ()

    first = balancers.create(HTTP, None)
    second = balancers.create(HTTPS, first)
    assert second.virtual_ips == first.virtual_ips
    for made in (first, second):
        balancer_when(balancers, made.id, BalancerStatus.ACTIVE)
    assert [found.id for found in balancers.find([HTTP, HTTPS])] == [first.id, second.id]

    network = first.virtual_ips[0].address.rsplit(".", 2)[0]
    addresses = [f"{network}.9.{n}" for n in range(1, 13)]
    balancers.add_nodes(first.id, addresses, 8000)
    with pytest.raises(Immutable):
        balancers.add_nodes(first.id, [f"{network}.9.99"], 8000)
    nodes = balancer_when(balancers, first.id, BalancerStatus.ACTIVE).nodes
    assert sorted(node.address for node in nodes) == sorted(addresses)

    with pytest.raises(Conflict):
        balancers.add_nodes(first.id, addresses[:1], 8000)
    with pytest.raises(QuotaExceeded):
        balancers.add_nodes(first.id, [f"{network}.8.{n}" for n in range(1, balancers.node_limit())], 8000)

    leaving = [node.id for node in nodes[:3]]
    balancers.set_condition(first.id, leaving, Condition.DRAINING)
    nodes = balancer_when(balancers, first.id, BalancerStatus.ACTIVE).nodes
    assert {node.id for node in nodes if node.condition is Condition.DRAINING} == set(leaving)

    assert balancers.knowing(addresses[0]) == (HTTP.name,)
    balancers.remove_nodes(first.id, [*(node.id for node in nodes), "999999"])
    assert balancer_when(balancers, first.id, BalancerStatus.ACTIVE).nodes == ()
    assert balancers.knowing(addresses[0]) == ()
    balancers.remove_nodes(first.id, leaving)
