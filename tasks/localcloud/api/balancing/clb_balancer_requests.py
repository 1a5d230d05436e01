"""Load balancer bodies become load balancers, and every wrong field is named at once.

Sentences are the service's own (atlas-lb: LoadBalancerValidator, VirtualIpValidator, SharedOrNewVipVerifier).
"""

from collections.abc import Iterator
from dataclasses import replace

from tasks.localcloud.api.balancing.clb_bodies import BalancerBody, VirtualIpBody
from tasks.localcloud.api.balancing.clb_monitor_requests import new_monitor, new_persistence
from tasks.localcloud.api.balancing.clb_node_requests import PORTS, new_metadata, new_nodes, problems_of_meta
from tasks.localcloud.balancing.balancers import BalancerService, now
from tasks.localcloud.balancing.clb_faults import bad_request, validation_failure
from tasks.localcloud.balancing.clb_model import PROTOCOLS, LoadBalancer, Status, VirtualIp
from tasks.localcloud.proxy.frontends import Algorithm

TIMEOUTS = range(30, 121)  # seconds
NAME_CHARACTERS = 128
VIRTUAL_IP_TYPES = {"PUBLIC", "SERVICENET"}
ELSEWHERE = {
    "nodes": "nodes to configure nodes.",
    "metadata": "metadata to configure metadata.",
    "virtual_ips": "virtualips/{virtual ip id} to configure a virtual ip.",
    "session_persistence": "sessionpersistence to configure session persistence.",
    "health_monitor": "healthmonitor to configure your health monitor.",
    "connection_throttle": "throttles to configure connection throttling.",
    "access_list": "accesslist to configure access lists.",
    "connection_logging": "connectionlogging to configure connection logging.",
    "content_caching": "contentcaching to configure content caching.",
}
CHANGEABLE = ("name", "algorithm", "protocol", "port", "timeout", "half_closed", "https_redirect")


def new_balancer(body: BalancerBody, service: BalancerService) -> LoadBalancer:
    """Make a load balancer of the body of a POST; its virtual IP is still to be taken when its id is 0.

    :raises Fault: 400, naming everything that is wrong.
    """
    problems = [*problems_of_values(body), *problems_of_new(body)]
    if problems:
        raise validation_failure(problems)
    protocol = body.protocol or ""
    created = now()
    return LoadBalancer(
        id=service.next_id(),
        name=body.name or "",
        protocol=protocol,
        port=port_of(protocol, body.port),
        algorithm=Algorithm(body.algorithm or Algorithm.RANDOM),
        timeout=body.timeout or TIMEOUTS[0],
        virtual_ip=virtual_ip_of(body, service),
        status=Status.BUILD,
        created=created,
        updated=created,
        half_closed=body.half_closed or False,
        nodes=new_nodes(body.nodes or (), service.next_id),
        monitor=new_monitor(body.health_monitor) if body.health_monitor else None,
        persistence=new_persistence(body.session_persistence) if body.session_persistence else None,
        metadata=new_metadata(body.metadata or (), service.next_id),
    )


def changed_balancer(balancer: LoadBalancer, body: BalancerBody) -> LoadBalancer:
    """Change what the body has.

    "Changing the protocol for a load balancer will disable session persistence" (CLB docs, sessions).
    """
    protocol = body.protocol or balancer.protocol
    return replace(
        balancer,
        name=body.name or balancer.name,
        protocol=protocol,
        port=body.port or balancer.port,
        algorithm=Algorithm(body.algorithm or balancer.algorithm),
        timeout=body.timeout or balancer.timeout,
        half_closed=balancer.half_closed if body.half_closed is None else body.half_closed,
        persistence=balancer.persistence if protocol == balancer.protocol else None,
    )


def refuse_unchangeable(body: BalancerBody) -> None:
    """Refuse the body of a PUT that changes what is changed elsewhere, or nothing.

    :raises Fault: 400, naming everything that is wrong.
    """
    problems = [*problems_of_values(body)]
    for field, where in ELSEWHERE.items():
        if getattr(body, field):
            problems.append(f"Please visit {{account id}}/loadbalancers/{{load balancer id}}/{where}")
    if all(getattr(body, field) is None for field in CHANGEABLE):
        problems.append(
            "The load balancer must have at least one of the following to update: name, algorithm, protocol, port, "
            "timeout, halfClosed, or httpsRedirect."
        )
    if problems:
        raise validation_failure(problems)


def problems_of_values(body: BalancerBody) -> Iterator[str]:
    """Say which values, if they are there, are out of their range, and what may not be there at all."""
    if body.protocol is not None and body.protocol not in PROTOCOLS:
        yield "Load balancer protocol is invalid. Please specify a valid protocol."
    if body.algorithm is not None and body.algorithm not in set(Algorithm):
        yield "Load balancer algorithm is invalid. Please specify a valid algorithm."
    if body.port is not None and body.port not in PORTS:
        yield "Load balancer port is invalid. Please specify a valid port."
    if body.timeout is not None and body.timeout not in TIMEOUTS:
        yield "Load balancer timeout is invalid. Please specify a valid timeout value."
    if body.id is not None:
        yield "Load balancer id field cannot be modified."
    if body.status is not None:
        yield "Load balancer status field cannot be modified."
    if len(body.name or "") > NAME_CHARACTERS:
        yield f"Load Balancer name must be less than or equal to {NAME_CHARACTERS}"
    yield from problems_of_what_is_not_offered(body)


def problems_of_what_is_not_offered(body: BalancerBody) -> Iterator[str]:
    """Refuse, rather than ignore, what the service can do and the local cloud cannot; switching it off is fine."""
    if body.ssl_termination is not None:
        yield "Please visit {account id}/loadbalancers/{load balancer id}/ssltermination to configure ssl termination."
    wanted = {
        "connectionThrottle": body.connection_throttle,
        "accessList": body.access_list,
        "httpsRedirect": body.https_redirect,
        "connectionLogging": body.connection_logging and body.connection_logging.enabled,
        "contentCaching": body.content_caching and body.content_caching.enabled,
    }
    for name, value in wanted.items():
        if value:
            yield f"{name} is not offered by the local cloud. Please leave it out."


def problems_of_new(body: BalancerBody) -> Iterator[str]:
    """Say what a load balancer to be created lacks."""
    if body.name is None:
        yield "Must provide a name for the load balancer."
    elif not body.name.strip():
        yield "Load balancer name is invalid. Please specify a valid name"
    if body.protocol is None:
        yield "Must provide a valid protocol for the load balancer."
    if body.virtual_ips is None:
        yield "Must provide at least one virtual ip for the load balancer."
    elif not body.virtual_ips:
        yield "Must have at least one virtual ip for the load balancer"
    for vip in body.virtual_ips or ():
        yield from problems_of_virtual_ip(vip)
    yield from (problem for item in body.metadata or () for problem in problems_of_meta(item))


def problems_of_virtual_ip(body: VirtualIpBody) -> Iterator[str]:
    """Say what is wrong with a virtual IP: shared by id, or new by type."""
    described = body.type is not None or body.ip_version is not None
    if body.address is not None:
        yield "Virtual ip address field cannot be modified."
    if body.id is None and not described:
        yield "The virtual ip must have at least one of the following specified: id, type, ipVersion."
    if body.id is not None and described:
        yield "If sharing a virtual ip please only specify the id."
    if body.type is not None and body.type not in VIRTUAL_IP_TYPES:
        yield "Must specify a valid IP type: PUBLIC or SERVICENET."
    if body.ip_version is not None and body.ip_version != "IPV4":
        yield "Must specify a valid IP version. The local cloud has IPV4 only."


def port_of(protocol: str, port: int | None) -> int:
    """Take the protocol's port unless another one is asked for.

    :raises Fault: 400, the protocol has none.
    """
    chosen = port or PROTOCOLS[protocol]
    if chosen is None:
        raise bad_request("Must provide port for TCP and UDP protocols.")
    return chosen


def virtual_ip_of(body: BalancerBody, service: BalancerService) -> VirtualIp:
    """Find the virtual IP to share, or describe the one to take (id 0), which is taken when nothing else is wrong.

    :raises Fault: 400, more than one, or no load balancer has it.
    """
    wanted = {(vip.id, vip.type) for vip in body.virtual_ips or ()}
    if len(wanted) > 1:
        raise bad_request("Cannot supply more than one IPV4 virtual ip.")
    [(vip_id, kind)] = wanted
    if vip_id is None:
        return VirtualIp(id=0, address="", type=kind or "PUBLIC")
    for balancer in service.kept():
        if balancer.virtual_ip.id == vip_id:
            return balancer.virtual_ip
    raise bad_request(
        "Shared virtual ip could not be found. Please provide a valid virtual ip id to process this request."
    )
