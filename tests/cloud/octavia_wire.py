"""What Octavia answers: one load balancer with a listener and its pool, whose parts a test changes as it needs."""

from __future__ import annotations

from typing import Any

from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.cloud.profiles import BalancerProfile
from tasks.rollout.model import Condition, Listener
from tests.cloud.wire import PROJECT, Reply, Wire

HTTP = Listener(name="guestbook-live-http", port=80, protocol="HTTP", node_port=8000)
HTTPS = Listener(name="guestbook-live-https", port=443, protocol="HTTPS", node_port=8443)
PROFILE = BalancerProfile(app="guestbook", environment="live")
BUSY = Reply(
    status=409,
    body={
        "faultcode": "Client",
        "faultstring": "Load Balancer lb is immutable and cannot be updated.",
        "debuginfo": None,
    },
)
NOT_THERE = Reply(status=404, body={"faultcode": "Client", "faultstring": "Pool pool not found.", "debuginfo": None})
ACCEPTED = Reply(status=202)
DELETED = Reply(status=204)
ALL_MEMBERS = "/pools/pool/members$"

NAMES = {"10.0.0.8": "guestbook-live-8-0", "10.0.0.9": "guestbook-live-8-1"}

Body = dict[str, Any]


def shared(**changes: Any) -> Body:
    """Write the load balancer of our app and environment."""
    return {
        "id": "lb",
        "name": "guestbook-live",
        "project_id": PROJECT,
        "description": "",
        "tags": ["app=guestbook", "environment=live"],
        "provisioning_status": "ACTIVE",
        "vip_address": "198.51.100.1",
        "vip_port_id": "port-1",
    } | changes


def listener(**changes: Any) -> Body:
    """Write the listener of port 80."""
    return {
        "id": "listener",
        "name": HTTP.name,
        "project_id": PROJECT,
        "protocol": "HTTP",
        "protocol_port": 80,
        "default_pool_id": "pool",
        "loadbalancers": [{"id": "lb"}],
        "provisioning_status": "ACTIVE",
    } | changes


def pool(**changes: Any) -> Body:
    """Write its pool."""
    return {
        "id": "pool",
        "name": HTTP.name,
        "project_id": PROJECT,
        "loadbalancers": [{"id": "lb"}],
        "listeners": [{"id": "listener"}],
        "members": [],
        "healthmonitor_id": None,
        "provisioning_status": "ACTIVE",
    } | changes


def member(number: int, **changes: Any) -> Body:
    """Write a member that takes requests."""
    return {
        "id": f"m{number}",
        "address": f"10.0.0.{number}",
        "protocol_port": 8000,
        "project_id": PROJECT,
        "weight": 1,
        "admin_state_up": True,
        "backup": False,
        "subnet_id": None,
        "monitor_address": None,
        "monitor_port": None,
        "operating_status": "ONLINE",
        "provisioning_status": "ACTIVE",
    } | changes


def stands(wire: Wire, *members: Body, **changes: Any) -> None:
    """Answer for the load balancer with its listener, its pool and these members; `changes` are the load balancer's."""
    pools = pool(members=[{"id": each["id"]} for each in members])
    there = {"loadbalancers": shared(**changes), "listeners": listener(), "pools": pools}
    for plural, body in there.items():
        lists(wire, plural, body)
        shows(wire, plural, body)
    lists(wire, "pools/pool/members", *members)


def lists(wire: Wire, path: str, *bodies: Body) -> None:
    """Answer a list."""
    wire.on("GET", f"/v2/lbaas/{path}$", Reply(body={path.rsplit("/", maxsplit=1)[-1]: list(bodies)}))


def shows(wire: Wire, plural: str, *in_turn: Body) -> None:
    """Answer for one thing, with one body after the other."""
    singular = plural.removesuffix("s")
    wire.on("GET", f"/v2/lbaas/{plural}/{in_turn[0]['id']}$", *(Reply(body={singular: body}) for body in in_turn))


def versions(wire: Wire, *ids: str) -> None:
    """Answer the versions of the endpoint."""
    wire.on("GET", "^/octavia/$", Reply(body={"versions": [{"id": each, "status": "SUPPORTED"} for each in ids]}))


def makes(wire: Wire, plural: str, body: Body, *before: Reply) -> None:
    """Accept the making of something, after these answers."""
    wire.on("POST", f"/v2/lbaas/{plural}$", *before, Reply(status=201, body={plural.removesuffix("s"): body}))


def made(wire: Wire, plural: str) -> Body:
    """Give the last body that something was asked to be made with."""
    return dict(wire.received("POST", f"/v2/lbaas/{plural}$")[-1].body[plural.removesuffix("s")])


def add(balancers: OctaviaLoadBalancers) -> None:
    """Add two nodes."""
    balancers.add_nodes("listener", NAMES, 8000)


def drain(balancers: OctaviaLoadBalancers) -> None:
    """Drain the first two nodes."""
    balancers.set_condition("listener", ["m1", "m2"], Condition.DRAINING)


def remove(balancers: OctaviaLoadBalancers) -> None:
    """Remove the first two nodes."""
    balancers.remove_nodes("listener", ["m1", "m2"])
