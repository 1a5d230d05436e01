"""JSON of Cloud Load Balancers v1.0 from and to our values. Refuses to know how the API is asked.

Answers leave out what is empty or default: nodes, weights (shown for weighted algorithms only), nearly everything of a
deleted load balancer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasks.cloud import ids
from tasks.cloud.clb_metadata import mark
from tasks.cloud.profiles import BalancerProfile, HealthMonitor, Persistence, Probe
from tasks.rollout.model import BalancerStatus, Condition, Listener, LoadBalancer, Node, NodeStatus, VirtualIp

# CLB docs, load balancer status; one that is being deleted is as good as gone.
STATUSES = {
    "ACTIVE": BalancerStatus.ACTIVE,
    "BUILD": BalancerStatus.PENDING,
    "PENDING_CREATE": BalancerStatus.PENDING,
    "PENDING_UPDATE": BalancerStatus.PENDING,
    "PENDING_DELETE": BalancerStatus.DELETED,
    "DELETED": BalancerStatus.DELETED,
    "ERROR": BalancerStatus.ERROR,
    "SUSPENDED": BalancerStatus.ERROR,
}
# Monitors that ask for a page exist only for these protocols, and a monitor has the protocol of its load balancer.
PAGE_MONITORS = {"HTTP", "HTTPS"}


def status(body: Mapping[str, Any]) -> BalancerStatus:
    """Read a status; the hyphen of PENDING-UPDATE occurs as well."""
    return STATUSES.get(str(body.get("status", "")).replace("-", "_"), BalancerStatus.UNKNOWN)


def balancer(body: Mapping[str, Any]) -> LoadBalancer:
    """Read a load balancer's details."""
    return LoadBalancer(
        id=ids.read(body["id"]),
        name=body["name"],
        virtual_ips=tuple(VirtualIp(id=str(ip["id"]), address=ip["address"]) for ip in body.get("virtualIps", ())),
        port=int(body["port"]),
        protocol=body["protocol"],
        status=status(body),
        nodes=tuple(map(_node, body.get("nodes", ()))),
    )


def _node(body: Mapping[str, Any]) -> Node:
    seen = body.get("status")
    return Node(
        id=ids.read(body["id"]),
        address=body["address"],
        port=int(body["port"]),
        condition=Condition(body["condition"]),
        status=NodeStatus(seen) if seen in set(NodeStatus) else NodeStatus.UNKNOWN,
        weight=int(body.get("weight", 1)),
    )


def creation(listener: Listener, profile: BalancerProfile, share_with: LoadBalancer | None) -> dict[str, Any]:
    """Write the body that creates a load balancer, on the virtual IPs of `share_with` if given.

    Its two virtual IPs (IPv4 and IPv6) are both named, by their ids alone (CLB docs, create load balancer).
    """
    body: dict[str, Any] = {
        "name": listener.name,
        "port": listener.port,
        "protocol": listener.protocol,
        "virtualIps": [{"type": profile.virtual_ip_type}],
        "algorithm": profile.algorithm.value,
        "timeout": profile.timeout,
        "metadata": [{"key": name, "value": value} for name, value in mark(profile).items()],
    }
    if share_with:
        body["virtualIps"] = [{"id": int(ip.id)} for ip in share_with.virtual_ips]
    if profile.monitor:
        body["healthMonitor"] = _monitor(profile.monitor, listener.protocol)
    if profile.persistence:
        body["sessionPersistence"] = {"persistenceType": _persistence(profile.persistence, listener.protocol)}
    return {"loadBalancer": body}


def _monitor(monitor: HealthMonitor, protocol: str) -> dict[str, Any]:
    timing = {
        "delay": monitor.delay,
        "timeout": monitor.timeout,
        "attemptsBeforeDeactivation": monitor.attempts,
    }
    if monitor.probe is Probe.CONNECT or protocol not in PAGE_MONITORS:
        return {"type": "CONNECT", **timing}
    return {"type": protocol, "path": monitor.path, "statusRegex": monitor.status_regex, **timing}


def _persistence(wanted: Persistence, protocol: str) -> str:
    # Only an HTTP load balancer can read and set cookies; behind the others a user is known by address.
    return wanted.value if protocol == "HTTP" else Persistence.SOURCE_IP.value


def new_nodes(addresses: Iterable[str], port: int) -> dict[str, Any]:
    """Write the body that adds nodes; the condition is mandatory (CLB docs, add nodes)."""
    enabled = Condition.ENABLED.value
    return {"nodes": [{"address": address, "port": port, "condition": enabled} for address in addresses]}


def conditions(node_ids: Sequence[str], condition: Condition) -> dict[str, Any]:
    """Write the body that sets the condition of many nodes (CLB docs, bulk update of nodes)."""
    return {"nodes": [{"id": int(node_id), "condition": condition.value} for node_id in node_ids]}


def one_condition(condition: Condition) -> dict[str, Any]:
    """Write the body that sets the condition of one node: sending back its address or id is refused."""
    return {"node": {"condition": condition.value}}
