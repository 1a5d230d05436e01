"""What Cloud Load Balancers v1.0 allows in the present state of a load balancer, and in which words it refuses.

Sentences, and the order of the checks, are the service's own (atlas-lb: NodeServiceImpl, LoadBalancerServiceImpl,
HealthMonitorServiceImpl, SessionPersistenceServiceImpl). Pure: values in, a Fault raised or nothing.
"""

from collections.abc import Iterable, Sequence

from tasks.localcloud.balancing.clb_faults import (
    bad_request,
    over_limit,
    unprocessable,
    validation_failure,
)
from tasks.localcloud.balancing.clb_model import LoadBalancer, Meta, Monitor, Node, NodeType, Persistence, Status
from tasks.localcloud.proxy.frontends import ProbeKind

BALANCER_LIMIT = 25
BATCH_DELETE_LIMIT = 10
META_LIMIT = 25
NO_IDS = "Must supply one or more id's to process this request."


def may_add_nodes(balancer: LoadBalancer, new: Sequence[Node], node_limit: int) -> None:
    """Refuse nodes that do not fit, or that are there already; all of them or none are added (CLB docs, add nodes)."""
    if len(balancer.nodes) + len(new) > node_limit:
        raise over_limit(f"Nodes must not exceed {node_limit} per load balancer.")
    may_have_nodes(balancer, [*balancer.nodes, *new])
    if {node.endpoint for node in balancer.nodes} & {node.endpoint for node in new}:
        raise unprocessable("Duplicate nodes detected. One or more nodes already configured on load balancer.")
    if any(node.endpoint.address == balancer.virtual_ip.address for node in new):
        raise bad_request(
            "Invalid node address. The load balancer's virtual ip or host end point address cannot be used as a node "
            "address."
        )


def may_have_nodes(balancer: LoadBalancer, nodes: Iterable[Node]) -> None:
    """Refuse secondary nodes without a health monitor, or without a primary one."""
    types = {node.type for node in nodes}
    if NodeType.SECONDARY not in types:
        return
    if balancer.monitor is None:
        raise bad_request("you must enable health monitoring to use secondary nodes")
    if NodeType.PRIMARY not in types:
        raise bad_request("you must have at least one primary node enabled")


def may_delete_nodes(balancer: LoadBalancer, ids: Sequence[int]) -> None:
    """Refuse to delete many nodes at once: none is deleted unless all can be (CLB docs, bulk-delete nodes)."""
    if balancer.status is not Status.ACTIVE:
        raise unprocessable("LoadBalancer is not ACTIVE")
    known = {node.id for node in balancer.nodes}
    doomed, foreign = known & set(ids), sorted(set(ids) - known)
    problems = []
    if len(doomed) > BATCH_DELETE_LIMIT:
        problems.append(
            f"Request to delete {len(doomed)} nodes exceeds the account limit BATCH_DELETE_LIMIT of "
            f"{BATCH_DELETE_LIMIT} please attempt to delete fewer then {BATCH_DELETE_LIMIT} nodes"
        )
    if foreign:
        problems.append(f"Node ids {','.join(map(str, foreign))} are not a part of your loadbalancer")
    if problems:
        raise validation_failure(problems)


def may_create(existing: Sequence[LoadBalancer], new: LoadBalancer, node_limit: int) -> None:
    """Refuse a load balancer over a limit, or with settings that do not go together."""
    if len(existing) >= BALANCER_LIMIT:
        raise over_limit(
            f"Load balancer limit reached. Limit is set to '{BALANCER_LIMIT}'. "
            "Contact support if you would like to increase your limit."
        )
    if len(new.nodes) > node_limit:
        raise over_limit("Node limit for this load balancer exceeded.")
    may_have_nodes(new, new.nodes)
    may_monitor(new, new.monitor)
    may_persist(new, new.persistence)
    if port_is_taken(existing, new):
        raise bad_request("Another load balancer is currently using the requested port with the shared virtual ip.")


def may_update(existing: Iterable[LoadBalancer], changed: LoadBalancer) -> None:
    """Refuse a port that is taken on the same virtual IP, or a protocol that the monitor is not for."""
    if port_is_taken(existing, changed):
        raise bad_request(
            "Port currently assigned to one of the virtual ips. Please verify protocol/port combinations."
        )
    may_monitor(changed, changed.monitor)


def port_is_taken(existing: Iterable[LoadBalancer], wanted: LoadBalancer) -> bool:
    """Tell whether another load balancer listens there already."""
    return any(
        other.id != wanted.id and other.virtual_ip == wanted.virtual_ip and other.port == wanted.port
        for other in existing
    )


def may_monitor(balancer: LoadBalancer, monitor: Monitor | None) -> None:
    """Refuse a monitor that speaks another protocol than the load balancer (CLB docs, monitors)."""
    if monitor is None or monitor.type is ProbeKind.CONNECT or monitor.type == balancer.protocol:
        return
    raise bad_request(
        f"Cannot update Health Monitor to Type {monitor.type} because load balancer protocol is {balancer.protocol}"
    )


def may_delete_monitor(balancer: LoadBalancer) -> None:
    """Refuse to delete a monitor that is not there, or that secondary nodes need."""
    if any(node.type is NodeType.SECONDARY for node in balancer.nodes):
        raise bad_request(
            "Can not delete HealthMonitor since this lb contains Secondary nodes that depend on it. "
            "Please remove secondary nodes first."
        )
    if balancer.monitor is None:
        raise unprocessable("No health monitor found to delete.")


def may_persist(balancer: LoadBalancer, persistence: Persistence | None) -> None:
    """Refuse cookies where there are no requests (CLB docs, sessions)."""
    if persistence is Persistence.HTTP_COOKIE and balancer.protocol != "HTTP":
        raise bad_request(
            "HTTP_COOKIE Session persistence is only valid with HTTP protocol with or without SSL termination."
        )


def may_delete_persistence(balancer: LoadBalancer) -> None:
    """Refuse to delete what is not there."""
    if balancer.persistence is None:
        raise unprocessable("Session persistence is already deleted.")


def may_delete(balancers: Iterable[LoadBalancer | None], ids: Sequence[int]) -> None:
    """Refuse to delete load balancers unless all are there and ACTIVE: 400, not 422 (atlas-lb, prepareForDelete)."""
    found = {balancer.id: balancer for balancer in balancers if balancer and balancer.status is not Status.DELETED}
    missing = [str(wanted) for wanted in ids if wanted not in found]
    if missing:
        raise bad_request(f"Must provide valid load balancers: {','.join(missing)}  could not be found.")
    immutable = [str(wanted) for wanted in ids if found[wanted].status is not Status.ACTIVE]
    if immutable:
        raise bad_request(
            f"Must provide valid load balancers: {','.join(immutable)}  are immutable and could not be processed."
        )


def may_add_metadata(old: Sequence[Meta], new: Sequence[Meta]) -> None:
    """Refuse too much metadata, or a key that is there already."""
    if len(old) + len(new) > META_LIMIT:
        raise bad_request(f"Metadata must not exceed {META_LIMIT} per item.")
    if {item.key for item in old} & {item.key for item in new}:
        raise unprocessable("Duplicate metadata keys detected. One or more metadata keys already configured.")


def may_delete_metadata(old: Sequence[Meta], ids: Sequence[int]) -> None:
    """Refuse to delete too much metadata at once, or what is not there: none is deleted unless all can be."""
    foreign = sorted(set(ids) - {item.id for item in old})
    problems = []
    if len(ids) > BATCH_DELETE_LIMIT:
        problems.append(
            f"Request to delete {len(ids)} metadata items exceeds the account limit BATCH_DELETE_LIMIT of "
            f"{BATCH_DELETE_LIMIT} please attempt to delete fewer then {BATCH_DELETE_LIMIT} nodes"
        )
    if foreign:
        problems.append(f"Metadata ids {','.join(map(str, foreign))} are not a part of your loadbalancer")
    if problems:
        raise validation_failure(problems)
