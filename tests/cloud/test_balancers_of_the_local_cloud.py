"""The port Balancers against load balancers that really balance, of both kinds of cloud."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tasks.cloud.balancers import balancers_for
from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.identity import Access
from tasks.cloud.octavia import UNLIMITED, OctaviaLoadBalancers
from tasks.cloud.profiles import BalancerProfile, HealthMonitor, Persistence, Probe
from tasks.errors import Conflict, Immutable, NotFound, QuotaExceeded
from tasks.rollout.model import BalancerStatus, Condition, Listener, LoadBalancer, NodeStatus
from tests.cloud.local_waiting import wait

MONITOR = HealthMonitor(probe=Probe.CONNECT, delay=1, timeout=1, attempts=1)
PROFILE = BalancerProfile(app="guestbook", environment="live", monitor=MONITOR, persistence=Persistence.COOKIE)
HTTP = Listener(name="guestbook-live-http", port=8080, protocol="HTTP", node_port=8000)
HTTPS = Listener(name="guestbook-live-https", port=8443, protocol="HTTP", node_port=8000)

Chosen = CloudLoadBalancers | OctaviaLoadBalancers


@pytest.fixture
def balancers(opened: Access) -> Chosen:
    """Make the load balancer port that fits the face."""
    return balancers_for(opened, PROFILE)


@pytest.fixture
def made(balancers: Chosen) -> tuple[LoadBalancer, LoadBalancer]:
    """Give two load balancers that share a virtual IP, without nodes and ready for changes."""
    there = balancers.find([HTTP, HTTPS])
    if not there:
        first = when_active(balancers, balancers.create(HTTP, None))
        there = (first, when_active(balancers, balancers.create(HTTPS, first)))
    for balancer in there:
        nodes = when_active(balancers, balancer).nodes
        balancers.remove_nodes(balancer.id, [node.id for node in nodes])
        when_active(balancers, balancer)
    return balancers.show(there[0].id), balancers.show(there[1].id)


def when_active(balancers: Chosen, balancer: LoadBalancer) -> LoadBalancer:
    """Wait until a load balancer takes changes, and give it as it is then."""

    def look() -> LoadBalancer | None:
        seen = balancers.show(balancer.id)
        return seen if seen.status is BalancerStatus.ACTIVE else None

    return wait(look, f"load balancer {balancer.id} to be ACTIVE")


def addresses_near(balancer: LoadBalancer, count: int) -> list[str]:
    """Give addresses of this local cloud at which there are no servers."""
    network = balancer.virtual_ips[0].address.rsplit(".", 2)[0]
    return [f"{network}.9.{n}" for n in range(1, count + 1)]


@contextmanager
def answering(address: str) -> Iterator[int]:
    """Answer HTTP at an address while the block runs; gives the port."""
    server = ThreadingHTTPServer((address, 0), SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_face_decides_which_api_balances(local: dict[str, Any], balancers: Chosen) -> None:
    """The catalog of each kind of cloud has one API for load balancers, and that one is used."""
    assert type(balancers) is {"rackspace": CloudLoadBalancers, "openstack": OctaviaLoadBalancers}[local["face"]]


def test_nothing_keeps_load_balancers_from_being_made(balancers: Chosen) -> None:
    """Preflight finds a place for the virtual IP, and room."""
    assert balancers.problems([HTTP, HTTPS]) == []
    assert balancers.node_limit() >= 25


def test_two_load_balancers_share_a_virtual_ip(balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]) -> None:
    """Both listeners are found again by name and port, at one virtual IP, with nodes of their own."""
    first, second = made
    assert [(one.name, one.port) for one in made] == [(HTTP.name, 8080), (HTTPS.name, 8443)]
    assert [ip.address for ip in first.virtual_ips] == [ip.address for ip in second.virtual_ips]

    balancers.add_nodes(first.id, addresses_near(first, 1), 8000)
    when_active(balancers, first)
    assert [(one.id, len(one.nodes)) for one in balancers.find([HTTP, HTTPS])] == [(first.id, 1), (second.id, 0)]


def test_the_life_of_nodes(balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]) -> None:
    """Nodes are added, drained, enabled again and removed; draining ones stay so while others are added."""
    first, _ = made
    addresses = addresses_near(first, 3)
    balancers.add_nodes(first.id, addresses[:2], 8000)
    nodes = when_active(balancers, first).nodes
    assert sorted((node.address, node.condition) for node in nodes) == [(ip, Condition.ENABLED) for ip in addresses[:2]]

    balancers.set_condition(first.id, [nodes[0].id], Condition.DRAINING)
    when_active(balancers, first)
    balancers.add_nodes(first.id, addresses[2:], 8000)
    seen = {node.id: node.condition for node in when_active(balancers, first).nodes}
    assert (len(seen), seen[nodes[0].id], seen[nodes[1].id]) == (3, Condition.DRAINING, Condition.ENABLED)

    balancers.set_condition(first.id, [nodes[0].id], Condition.ENABLED)
    assert {node.condition for node in when_active(balancers, first).nodes} == {Condition.ENABLED}

    assert balancers.knowing(addresses[0]) == (HTTP.name,)
    balancers.remove_nodes(first.id, [node.id for node in nodes])
    assert [node.address for node in when_active(balancers, first).nodes] == addresses[2:]
    assert balancers.knowing(addresses[0]) == ()
    balancers.remove_nodes(first.id, [node.id for node in nodes])


def test_what_is_refused(balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]) -> None:
    """A change of a busy load balancer, a node that is there already and one that is not are errors of their own."""
    first, _ = made
    one, other = addresses_near(first, 2)
    balancers.add_nodes(first.id, [one], 8000)
    with pytest.raises(Immutable):
        balancers.add_nodes(first.id, [other], 8000)

    gone = when_active(balancers, first).nodes[0].id
    with pytest.raises(Conflict):
        balancers.add_nodes(first.id, [one, other], 8000)
    balancers.remove_nodes(first.id, [gone])
    assert when_active(balancers, first).nodes == ()
    with pytest.raises(NotFound):
        balancers.set_condition(first.id, [gone], Condition.DRAINING)


def test_trap_33_two_pools_of_one_load_balancer_collide(
    local: dict[str, Any], balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]
) -> None:
    """With Octavia a change behind one port locks the other port too; with Cloud Load Balancers it does not."""
    first, second = made
    address = addresses_near(first, 1)
    balancers.add_nodes(first.id, address, 8000)

    if local["face"] == "openstack":
        with pytest.raises(Immutable):
            balancers.add_nodes(second.id, address, 8000)
        when_active(balancers, first)
    else:
        balancers.add_nodes(second.id, address, 8000)
        assert len(when_active(balancers, second).nodes) == 1


def test_trap_8_a_monitor_tells_who_answers(balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]) -> None:
    """The health monitor finds the node at which something answers ONLINE, and the other one OFFLINE."""
    first, _ = made
    alive, dead = addresses_near(first, 2)

    with answering(alive) as port:
        balancers.add_nodes(first.id, [alive, dead], port)

        def told_apart() -> bool | None:
            seen = {node.address: node.status for node in balancers.show(first.id).nodes}
            return True if seen == {alive: NodeStatus.ONLINE, dead: NodeStatus.OFFLINE} else None

        assert wait(told_apart, "the monitor to tell the nodes apart")


def test_a_fixed_limit_of_nodes(
    local: dict[str, Any], balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]
) -> None:
    """Cloud Load Balancers refuses more nodes than its limit, and removes many in tens; Octavia has no fixed limit."""
    first, _ = made
    if local["face"] == "openstack":
        assert balancers.node_limit() == UNLIMITED
        return
    with pytest.raises(QuotaExceeded):
        balancers.add_nodes(first.id, addresses_near(first, balancers.node_limit() + 1), 8000)

    balancers.add_nodes(first.id, addresses_near(first, 12), 8000)
    nodes = when_active(balancers, first).nodes
    balancers.remove_nodes(first.id, [*(node.id for node in nodes), "999999"])
    assert when_active(balancers, first).nodes == ()
