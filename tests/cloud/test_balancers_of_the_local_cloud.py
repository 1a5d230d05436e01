"""The port Balancers against load balancers that really balance, of both kinds of cloud."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tasks.cloud.balancers import balancers_for
from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.identity import Access
from tasks.cloud.node_records import written
from tasks.cloud.octavia import UNLIMITED, OctaviaLoadBalancers
from tasks.cloud.profiles import BalancerProfile, HealthMonitor, Persistence, Probe
from tasks.errors import Conflict, Immutable, NotFound, QuotaExceeded
from tasks.rollout.model import BalancerStatus, Condition, Listener, LoadBalancer, NodeStatus
from tests.cloud.local_waiting import wait
from tests.cloud.problems import problems

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


def named(addresses: Sequence[str]) -> dict[str, str]:
    """Name servers at these addresses."""
    return {address: f"guestbook-live-7-{slot}" for slot, address in enumerate(addresses)}


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
    assert problems(balancers.findings([HTTP, HTTPS])) == []
    assert balancers.node_limit() >= 25


def test_two_load_balancers_share_a_virtual_ip(balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]) -> None:
    """Both listeners are found again by name and port, at one virtual IP, with nodes of their own."""
    first, second = made
    assert [(one.name, one.port) for one in made] == [(HTTP.name, 8080), (HTTPS.name, 8443)]
    assert [ip.address for ip in first.virtual_ips] == [ip.address for ip in second.virtual_ips]

    balancers.add_nodes(first.id, named(addresses_near(first, 1)), 8000)
    when_active(balancers, first)
    assert [(one.id, len(one.nodes)) for one in balancers.find([HTTP, HTTPS])] == [(first.id, 1), (second.id, 0)]


def test_what_we_make_is_ours(opened: Access, balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]) -> None:
    """A load balancer that we have made says so; to others it is foreign, and they cannot take it over."""
    stranger = balancers_for(opened, replace(PROFILE, app="other"))

    for balancer in made:
        assert balancers.is_ours(balancer.id)
        assert not stranger.is_ours(balancer.id)
        balancers.adopt(balancer.id)
        with pytest.raises(Conflict, match="marked as another's"):
            stranger.adopt(balancer.id)
        assert balancers.show(balancer.id).status is BalancerStatus.ACTIVE


def test_one_made_by_hand_is_adopted(local: dict[str, Any], opened: Access, balancers: Chosen) -> None:
    """A load balancer without a mark is found, not ours, and ours once it is adopted."""
    hands = balancers_for(opened, replace(PROFILE, app="byhand"))
    listener = replace(HTTP, name="byhand-live-http")
    made = when_active(hands, hands.create(listener, None))
    unmark(local, opened, made)
    when_active(hands, made)
    assert not hands.is_ours(made.id)
    assert [found.id for found in hands.find([listener])] == [made.id]

    hands.adopt(made.id)
    when_active(hands, made)
    assert hands.is_ours(made.id)


def unmark(local: dict[str, Any], opened: Access, made: LoadBalancer) -> None:
    """Take every mark off a load balancer, as if somebody had made it by hand."""
    if local["face"] == "rackspace":
        api = opened.adapter("rax:load-balancer", opened.session, what="load balancers")
        path = f"/loadbalancers/{made.id}/metadata"
        api.delete(path, params={"id": [item["id"] for item in api.get(path).json()["metadata"]]})
        return
    api = opened.adapter("load-balancer", opened.session, what="load balancers")
    listener = api.get(f"/v2/lbaas/listeners/{made.id}").json()["listener"]
    api.put(f"/v2/lbaas/loadbalancers/{listener['loadbalancers'][0]['id']}", json={"loadbalancer": {"tags": []}})


def test_owners_of_nodes_are_known(
    local: dict[str, Any], balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]
) -> None:
    """It is known for which servers nodes were added, however often they come and go."""
    _, second = made
    servers = named(addresses_near(second, 3))

    for _ in range(2):
        balancers.add_nodes(second.id, servers, 8000)
        nodes = when_active(balancers, second).nodes
        assert servers.items() <= balancers.owners(second.id).items()
        balancers.remove_nodes(second.id, [node.id for node in nodes])
        when_active(balancers, second)

    if local["face"] == "openstack":
        assert balancers.owners(second.id) == {}


def test_a_record_that_is_full_makes_room(
    local: dict[str, Any], opened: Access, balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]
) -> None:
    """The 25 items of a load balancer never keep nodes from being added: records of those that left make room."""
    _, second = made
    if local["face"] == "openstack":
        return
    api = opened.adapter("rax:load-balancer", opened.session, what="load balancers")
    path = f"/loadbalancers/{second.id}/metadata"
    there = len(api.get(path).json()["metadata"])
    old = [written({f"10.9.9.{n}": f"guestbook-live-{n}-0"}) for n in range(25 - there)]
    items = [{"key": key, "value": value} for record in old for key, value in record.items()]
    api.post(path, json={"metadata": items})

    servers = named(addresses_near(second, 4))
    balancers.add_nodes(second.id, servers, 8000)

    when_active(balancers, second)
    assert balancers.owners(second.id) == servers
    assert balancers.is_ours(second.id)


def test_the_life_of_nodes(balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]) -> None:
    """Nodes are added, drained, enabled again and removed; draining ones stay so while others are added."""
    first, _ = made
    addresses = addresses_near(first, 3)
    balancers.add_nodes(first.id, named(addresses[:2]), 8000)
    nodes = when_active(balancers, first).nodes
    assert sorted((node.address, node.condition) for node in nodes) == [(ip, Condition.ENABLED) for ip in addresses[:2]]

    balancers.set_condition(first.id, [nodes[0].id], Condition.DRAINING)
    when_active(balancers, first)
    balancers.add_nodes(first.id, named(addresses[2:]), 8000)
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
    balancers.add_nodes(first.id, named([one]), 8000)
    with pytest.raises(Immutable):
        balancers.add_nodes(first.id, named([other]), 8000)

    gone = when_active(balancers, first).nodes[0].id
    with pytest.raises(Conflict):
        balancers.add_nodes(first.id, named([one, other]), 8000)
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
    balancers.add_nodes(first.id, named(address), 8000)

    if local["face"] == "openstack":
        with pytest.raises(Immutable):
            balancers.add_nodes(second.id, named(address), 8000)
        when_active(balancers, first)
    else:
        balancers.add_nodes(second.id, named(address), 8000)
        assert len(when_active(balancers, second).nodes) == 1


def test_trap_8_a_monitor_tells_who_answers(balancers: Chosen, made: tuple[LoadBalancer, LoadBalancer]) -> None:
    """The health monitor finds the node at which something answers ONLINE, and the other one OFFLINE."""
    first, _ = made
    alive, dead = addresses_near(first, 2)

    with answering(alive) as port:
        balancers.add_nodes(first.id, named([alive, dead]), port)

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
        balancers.add_nodes(first.id, named(addresses_near(first, balancers.node_limit() + 1)), 8000)

    balancers.add_nodes(first.id, named(addresses_near(first, 12)), 8000)
    nodes = when_active(balancers, first).nodes
    balancers.remove_nodes(first.id, [*(node.id for node in nodes), "999999"])
    assert when_active(balancers, first).nodes == ()
