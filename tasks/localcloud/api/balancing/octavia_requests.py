"""Bodies of Octavia requests become values of the model; whole trees too. Checks what single attributes cannot show."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from tasks.localcloud.api.balancing.octavia_balancer_bodies import BalancerCreate, ListenerInTree
from tasks.localcloud.api.balancing.octavia_bodies import CreateBody
from tasks.localcloud.api.balancing.octavia_pool_bodies import MemberCreate, MonitorInPool, PoolInTree
from tasks.localcloud.balancing.octavia_faults import invalid, not_found
from tasks.localcloud.balancing.octavia_model import (
    Listener,
    LoadBalancer,
    Member,
    Monitor,
    MonitorType,
    Pool,
    VirtualIp,
)
from tasks.localcloud.balancing.octavia_rules import check_listener, check_members, check_monitor, check_pool
from tasks.localcloud.balancing.octavia_service import OctaviaService
from tasks.localcloud.balancing.octavia_tree import changed, now
from tasks.localcloud.subnet import Subnet

HTTP_DEFAULTS = {"http_method": "GET", "url_path": "/", "expected_codes": "200"}


def new_member(body: MemberCreate) -> Member:
    """Make a member."""
    return Member(**_attributes(body))


def new_monitor(body: MonitorInPool) -> Monitor:
    """Make a health monitor; HTTP and HTTPS ones ask GET / and want 200 unless told otherwise.

    :raises Fault: 400, something does not belong to its type.
    """
    defaults = {} if body.type is MonitorType.TCP else HTTP_DEFAULTS
    given = {name: value for name, value in _attributes(body).items() if value is not None}
    monitor = Monitor(**{**defaults, **given})
    check_monitor(monitor)
    return monitor


def new_pool(body: PoolInTree) -> Pool:
    """Make a pool with its members and its health monitor.

    :raises Fault: 400, 409 or 501, one of them is not acceptable; 400, protocol or algorithm is missing.
    """
    for attribute in ("protocol", "lb_algorithm"):
        if getattr(body, attribute) is None:
            raise invalid(f"Pool definition for '{body.name}' missing required attribute: {attribute}")
    members = tuple(new_member(member) for member in body.members)
    check_members(members)
    monitor = new_monitor(body.healthmonitor) if body.healthmonitor else None
    own = _attributes(body, but={"members", "healthmonitor"})
    pool = Pool(**own, members=members, monitor=monitor)
    check_pool(pool)
    return pool


def new_listener(body: ListenerInTree) -> Listener:
    """Make a listener; its pool, if it brings one, is made elsewhere."""
    return Listener(**_attributes(body, but={"default_pool"}))


def new_balancer(body: BalancerCreate, vip: VirtualIp) -> LoadBalancer:
    """Make a load balancer with everything in it.

    :raises Fault: 400 or 409, something in it is not acceptable.
    """
    vips = {"vip_address", "vip_subnet_id", "vip_network_id", "vip_port_id"}
    own = _attributes(body, but={"listeners", "pools", *vips})
    balancer = LoadBalancer(**own, vip=vip)
    pools = tuple(new_pool(pool) for pool in defined_pools(body))
    _refuse_unnamed(pools, body)
    balancer = replace(balancer, pools=pools)
    for each in body.listeners:
        balancer = with_new_listener(balancer, each)
    return balancer


def with_new_listener(balancer: LoadBalancer, body: ListenerInTree) -> LoadBalancer:
    """Put a listener in, with the pool that its body names.

    :raises Fault: 400, 404 or 409, it is not acceptable.
    """
    listener = new_listener(body)
    if body.default_pool:
        listener = replace(listener, default_pool_id=_named(balancer.pools, body.default_pool.name).id)
    check_listener(balancer, listener)
    return replace(balancer, listeners=(*balancer.listeners, listener))


def batch(pool: Pool, bodies: Sequence[MemberCreate]) -> tuple[Member, ...]:
    """Make the members of a batch: new ones, and changed ones, found by address and port.

    A changed member takes the defaults of a create for everything but `name` and `tags` (types/member.py, MemberPOST).

    :raises Fault: 400 or 409, one is not acceptable or is listed twice.
    """
    held = {member.place: member for member in pool.members}
    members = []
    for body in bodies:
        old = held.get((body.address, body.protocol_port))
        members.append(changed(old, _batch_attributes(body)) if old else new_member(body))
    check_members(members)
    return tuple(members)


def check_subnets(service: OctaviaService, bodies: Iterable[MemberCreate]) -> None:
    """Refuse members on a subnet that does not exist.

    :raises Fault: 404.
    """
    for body in bodies:
        if body.subnet_id not in {None, service.subnet.id}:
            raise not_found("Subnet", body.subnet_id)


def check_vip(body: BalancerCreate, subnet: Subnet) -> None:
    """Refuse a load balancer that does not say where, or names a place that does not exist.

    :raises Fault: 400 or 404.
    """
    if body.vip_port_id:
        raise not_found("Port", body.vip_port_id)  # ports cannot be made here, so none is free to be used
    if body.vip_network_id not in {None, subnet.network_id}:
        raise not_found("Network", body.vip_network_id)
    if body.vip_subnet_id not in {None, subnet.id}:
        raise not_found("Subnet", body.vip_subnet_id)
    if not (body.vip_subnet_id or body.vip_network_id):
        raise invalid("VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.")


def _attributes(body: CreateBody, but: Iterable[str] = ()) -> dict[str, Any]:
    own = body.model_dump(exclude={*but, "loadbalancer_id", "listener_id", "pool_id"})
    return {"id": str(uuid.uuid4()), "created_at": now(), **own}


def _batch_attributes(body: MemberCreate) -> dict[str, Any]:
    untouched = {"name", "tags", "subnet_id"} - body.model_fields_set
    return body.model_dump(exclude={"address", "protocol_port", *untouched})


def defined_pools(body: BalancerCreate) -> list[PoolInTree]:
    """Find the pools that are defined, in the list or in a listener; one with a name alone only refers to another."""
    of_listeners = [listener.default_pool for listener in body.listeners if listener.default_pool]
    return [*body.pools, *(pool for pool in of_listeners if pool.model_fields_set - {"name", "admin_state_up"})]


def _refuse_unnamed(pools: Sequence[Pool], body: BalancerCreate) -> None:
    names = [pool.name for pool in pools]
    if any(listener.default_pool and not listener.default_pool.name for listener in body.listeners):
        raise invalid("Pools must be named when creating a fully populated loadbalancer.")
    if len(set(names)) != len(names):
        raise invalid("Pool names must be unique when creating a fully populated loadbalancer.")


def _named(pools: Iterable[Pool], name: str) -> Pool:
    for pool in pools:
        if pool.name == name:
            return pool
    raise invalid(f"Pool '{name}' was referenced but no full definition was found.")
