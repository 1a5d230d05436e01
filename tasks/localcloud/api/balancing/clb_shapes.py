"""Cloud Load Balancers v1.0 answers: which fields each has, and no others.

Values in, JSON out. Field sets are those of the service's recordings and documentation; absent properties are left out,
never sent as null.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tasks.localcloud.balancing.clb_model import LoadBalancer, Meta, Monitor, Node, Status, VirtualIp
from tasks.localcloud.proxy.events import HealthEvent
from tasks.localcloud.proxy.frontends import Endpoint, Health

Json = dict[str, Any]
Healths = Mapping[Endpoint, Health]

CLUSTER = "local-cloud"
# Where Envoy's connections to nodes come from; it has no IPv6 business, and ::1 is all the IPv6 that loopback has.
SOURCE_ADDRESSES = {"ipv6Public": "::1/128", "ipv4Servicenet": "127.0.0.1", "ipv4Public": "127.0.0.1"}


def time(moment: datetime) -> Json:
    """Tell a time in whole seconds, UTC (CLB docs, date-time-format)."""
    return {"time": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}


def virtual_ip(vip: VirtualIp) -> Json:
    """Show a virtual IP. There are IPv4 ones only: IPv6 has a single loopback address."""
    return {"id": vip.id, "address": vip.address, "type": vip.type, "ipVersion": "IPV4"}


def identity(balancer: LoadBalancer) -> Json:
    """Show what `?nodeaddress=` finds (CLB docs, list load balancers)."""
    return {"id": balancer.id, "name": balancer.name, "status": balancer.status}


def tombstone(balancer: LoadBalancer) -> Json:
    """Show a deleted load balancer."""
    return {**identity(balancer), "created": time(balancer.created), "updated": time(balancer.updated)}


def summary(balancer: LoadBalancer) -> Json:
    """Show a load balancer in a list, without its nodes."""
    return {
        **tombstone(balancer),
        "protocol": balancer.protocol,
        "port": balancer.port,
        "algorithm": balancer.algorithm,
        "timeout": balancer.timeout,
        "nodeCount": len(balancer.nodes),
        "virtualIps": [virtual_ip(balancer.virtual_ip)],
    }


def whole(balancer: LoadBalancer) -> Json:
    """Show what details and the answer to a creation have in common."""
    shown = summary(balancer)
    del shown["nodeCount"]
    return {
        **shown,
        "halfClosed": balancer.half_closed,
        "cluster": {"name": CLUSTER},
        "connectionLogging": {"enabled": False},
        "sourceAddresses": SOURCE_ADDRESSES,
    }


def created(balancer: LoadBalancer) -> Json:
    """Show a load balancer that has just been accepted; its nodes have their weight, whatever the algorithm."""
    nodes = [{**node_core(node, {}), "weight": node.weight} for node in balancer.nodes]
    return {**whole(balancer), **({"nodes": nodes} if nodes else {})}


def details(balancer: LoadBalancer, healths: Healths) -> Json:
    """Show a load balancer with its nodes, and whatever has been configured."""
    if balancer.status is Status.DELETED:
        return tombstone(balancer)
    shown = whole(balancer)
    if balancer.nodes:
        shown["nodes"] = [{**node_core(each, healths), **weight(each, balancer)} for each in balancer.nodes]
    if balancer.monitor:
        shown["healthMonitor"] = monitor(balancer.monitor)
    if balancer.persistence:
        shown["sessionPersistence"] = {"persistenceType": balancer.persistence}
    return shown


def node_core(node: Node, healths: Healths) -> Json:
    """Show a node as part of a load balancer. A node that Envoy has not probed is ONLINE (CLB docs, add nodes)."""
    return {
        "id": node.id,
        "address": node.endpoint.address,
        "port": node.endpoint.port,
        "condition": node.condition,
        "status": healths.get(node.endpoint, Health.ONLINE),
    }


def weight(node: Node, balancer: LoadBalancer) -> Json:
    """Show a weight where it counts: only with a weighted algorithm (CLB docs, list nodes)."""
    return {"weight": node.weight} if balancer.algorithm.weighted else {}


def listed_node(node: Node, balancer: LoadBalancer, healths: Healths) -> Json:
    """Show a node by itself, or in the list of nodes."""
    return {**node_core(node, healths), "type": node.type, **weight(node, balancer)}


def accepted_node(node: Node) -> Json:
    """Show a node that has just been added."""
    return {**node_core(node, {}), "type": node.type, "weight": node.weight}


def monitor(shown: Monitor) -> Json:
    """Show a health monitor; only HTTP and HTTPS ones have more than times and attempts."""
    optional = {
        "path": shown.path,
        "statusRegex": shown.status_regex,
        "bodyRegex": shown.body_regex,
        "hostHeader": shown.host_header,
    }
    return {
        "type": shown.type,
        "delay": shown.delay,
        "timeout": shown.timeout,
        "attemptsBeforeDeactivation": shown.attempts,
        **{name: value for name, value in optional.items() if value is not None},
    }


def metadata(items: Iterable[Meta]) -> Json:
    """Show metadata: a list, not an object (CLB docs, metadata)."""
    return {"metadata": [meta(item) for item in items]}


def meta(item: Meta) -> Json:
    """Show one piece of metadata."""
    return {"id": item.id, "key": item.key, "value": item.value}


def updated_node(node: Node) -> Json:
    """Show a node that has just been changed with others (CLB docs, update nodes)."""
    return {**accepted_node(node), "metadata": [meta(item) for item in node.metadata]}


def node_event(event: HealthEvent, balancer: LoadBalancer, node_id: int, account: str) -> Json:
    """Show a change of a node's status (CLB docs, list node service events)."""
    return {
        "id": event.number,
        "nodeId": node_id,
        "loadbalancerId": balancer.id,
        "accountId": int(account) if account.isdecimal() else 0,
        "author": "Local Cloud",
        "title": "Node Status Updated",
        "description": f"Node '{node_id}' status changed to '{event.health}' for load balancer '{balancer.id}'",
        "detailedMessage": event.reason,
        "category": "UPDATE",
        "type": "UPDATE_NODE",
        "severity": "INFO",
        "relativeUri": f"/{account}/loadbalancers/{balancer.id}/nodes/{node_id}/events",
        "created": f"{event.when:%Y-%m-%dT%H:%M:%SZ}",
    }


def stats(counters: Mapping[str, int]) -> Json:
    """Show what Envoy has counted, in the service's words.

    Envoy keeps no peak: the most connections ever are given as those there are now. Nothing is counted for SSL, which
    is not terminated here.
    """
    active = counters.get("downstream_cx_active", 0)
    plain = {
        "connectTimeOut": counters.get("upstream_cx_connect_timeout", 0),
        "connectError": counters.get("downstream_cx_protocol_error", 0) + counters.get("upstream_cx_protocol_error", 0),
        "connectFailure": counters.get("upstream_cx_connect_fail", 0),
        "dataTimedOut": counters.get("downstream_rq_idle_timeout", 0),
        "keepAliveTimedOut": counters.get("downstream_cx_idle_timeout", 0),
        "maxConn": active,
        "currentConn": active,
    }
    return {**plain, **{f"{name}Ssl": 0 for name in plain}}
