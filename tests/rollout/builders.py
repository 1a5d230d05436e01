"""Values for the specifications of the rollout, with defaults that are a healthy fleet."""

from dataclasses import replace
from datetime import UTC, datetime

from tasks.rollout.goal import Goal
from tasks.rollout.labels import Labels, Phase
from tasks.rollout.model import (
    BalancerStatus,
    Condition,
    Listener,
    LoadBalancer,
    Node,
    NodeStatus,
    Server,
    ServerStatus,
    VirtualIp,
)
from tasks.rollout.observation import Moment, Observation
from tasks.rollout.reverting import Live, Place

NODE_PORT = 8000
HTTP = Listener(name="shop-test-http", port=80, protocol="HTTP", node_port=NODE_PORT)
HTTPS = Listener(name="shop-test-https", port=443, protocol="HTTP", node_port=NODE_PORT)
OLD, NEW = "20260101-000000-aaaa", "20260202-000000-bbbb"


def goal(count=2, listeners=(HTTP, HTTPS), **changes):
    """Give a goal of `count` servers of the new generation."""
    values = {"app": "shop", "environment": "test", "generation": NEW, "release": "r2"} | changes
    return Goal(count=count, listeners=listeners, **values)


def server(slot=1, phase=Phase.READY, generation=NEW, **changes):
    """Give a server whose private IP tells its generation and slot: 10.0.1.x is old, 10.0.2.x is new."""
    third = 1 if generation == OLD else 2
    migrated, sealed = changes.pop("migrated", False), changes.pop("sealed", False)
    labels = Labels(
        app="shop",
        environment="test",
        generation=generation,
        slot=slot,
        release="r2" if generation == NEW else "r1",
        phase=phase,
        migrated=migrated,
        sealed=sealed,
    )
    values = {
        "id": f"{'old' if generation == OLD else 'new'}-{slot}",
        "name": f"shop-{slot}",
        "status": ServerStatus.ACTIVE,
        "private_ip": f"10.0.{third}.{slot}",
        "created": datetime(2026, 1, third, tzinfo=UTC),
        "labels": labels,
    }
    return Server(**(values | changes))


def labelled(server, **labels):
    """Give a server with other labels."""
    return replace(server, labels=replace(server.labels, **labels))


def old(slot=1, **changes):
    """Give a server of the old generation, which serves."""
    return server(slot, **({"phase": Phase.SERVING, "generation": OLD} | changes))


def node(owner, condition=Condition.ENABLED, status=NodeStatus.ONLINE, port=NODE_PORT):
    """Give the node of a server."""
    return Node(id=f"n-{owner.id}", address=owner.private_ip, port=port, condition=condition, status=status)


def balancer(*nodes, listener=HTTP, status=BalancerStatus.ACTIVE):
    """Give the load balancer of a listener."""
    return LoadBalancer(
        id=f"id-{listener.name}",
        name=listener.name,
        virtual_ips=(VirtualIp(id="1", address="192.0.2.1"),),
        port=listener.port,
        protocol=listener.protocol,
        status=status,
        nodes=nodes,
    )


def both(*nodes):
    """Give the load balancers of both listeners with the same nodes."""
    return balancer(*nodes), balancer(*nodes, listener=HTTPS)


def seen(*servers, balancers=(), **changes):
    """Give an observation, by a run that holds the claim and has found every server well."""
    probes = {(server.id, moment): "" for server in servers for moment in Moment}
    values = {"held": True, "probes": probes} | changes
    return Observation(servers=servers, balancers=tuple(balancers), **values)


def live(*servers, balancers=(HTTP, HTTPS)):
    """Give what was live: these servers, on these listeners' load balancers, and well."""
    places = frozenset(Place(server.id, listener.name) for server in servers for listener in balancers)
    return Live(places=places, online=places)
