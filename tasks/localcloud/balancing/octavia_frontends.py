"""Octavia's load balancers said to the proxy: one frontend for each listener. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tasks.localcloud.balancing.octavia_model import (
    Listener,
    LoadBalancer,
    Member,
    Monitor,
    MonitorType,
    PersistenceType,
    Pool,
    PoolAlgorithm,
    Protocol,
)
from tasks.localcloud.balancing.octavia_tree import remaining
from tasks.localcloud.proxy.frontends import (
    Algorithm,
    Backend,
    Condition,
    Endpoint,
    Expectation,
    Frontend,
    Probe,
    ProbeKind,
    Stickiness,
    Traffic,
)

ALGORITHMS: Mapping[PoolAlgorithm, Algorithm] = {
    PoolAlgorithm.LEAST_CONNECTIONS: Algorithm.WEIGHTED_LEAST_CONNECTIONS,
    PoolAlgorithm.ROUND_ROBIN: Algorithm.WEIGHTED_ROUND_ROBIN,
    PoolAlgorithm.SOURCE_IP: Algorithm.WEIGHTED_ROUND_ROBIN,  # a hash of the address decides: see `_stickiness`
}
STICKINESS: Mapping[PersistenceType, Stickiness] = {
    PersistenceType.HTTP_COOKIE: Stickiness.COOKIE,
    PersistenceType.SOURCE_IP: Stickiness.SOURCE_IP,
}
PROBES: Mapping[MonitorType, ProbeKind] = {
    MonitorType.HTTP: ProbeKind.HTTP,
    MonitorType.HTTPS: ProbeKind.HTTPS,
    MonitorType.TCP: ProbeKind.CONNECT,
}


def frontend_name(listener: Listener) -> str:
    """Name a listener at the proxy, unlike anything of another service."""
    return f"octavia-{listener.id}"


def frontends(balancer: LoadBalancer) -> dict[str, Frontend]:
    """Give what the proxy is to serve, by name; what is administratively down or being deleted is not served."""
    if not balancer.admin_state_up:
        return {}
    served = [listener for listener in remaining(balancer.listeners) if listener.admin_state_up]
    return {frontend_name(listener): frontend(balancer, listener) for listener in served}


def frontend(balancer: LoadBalancer, listener: Listener) -> Frontend:
    """Say one listener to the proxy; without a pool it has no backends."""
    pool = next((pool for pool in remaining(balancer.pools) if pool.id == listener.default_pool_id), None)
    return Frontend(
        name=frontend_name(listener),
        listens=Endpoint(address=balancer.vip.address, port=listener.protocol_port),
        traffic=Traffic.HTTP if listener.protocol is Protocol.HTTP else Traffic.TCP,
        algorithm=ALGORITHMS[pool.lb_algorithm] if pool else Algorithm.ROUND_ROBIN,
        idle_seconds=_idle_seconds(listener),
        backends=tuple(backend(member, pool) for member in remaining(pool.members)) if pool else (),
        probe=_probe(pool) if pool else None,
        stickiness=_stickiness(pool) if pool else None,
    )


def endpoint(member: Member) -> Endpoint:
    """Say where a member listens."""
    return Endpoint(address=member.address, port=member.protocol_port)


def backend(member: Member, pool: Pool) -> Backend:
    """Say one member to the proxy; the proxy has no weight 0, it has DRAINING."""
    return Backend(
        endpoint=endpoint(member), condition=condition(member, pool), weight=max(member.weight, 1), spare=member.backup
    )


def condition(member: Member, pool: Pool) -> Condition:
    """Tell what the owner wants of a member (Octavia api-ref, members: weight, admin_state_up)."""
    if not (member.admin_state_up and pool.admin_state_up):
        return Condition.DISABLED
    return Condition.ENABLED if member.weight else Condition.DRAINING


def matching_codes(expected: str) -> frozenset[int]:
    """Read `200`, `200,202` or `200-204`."""
    first, is_range, last = expected.partition("-")
    if is_range:
        return frozenset(range(int(first), int(last) + 1))
    return frozenset(int(code) for code in expected.split(","))


def _idle_seconds(listener: Listener) -> int:
    """Make one time-out of the client's and the members': the proxy ends a connection when both are silent."""
    return max(1, math.ceil(max(listener.timeout_client_data, listener.timeout_member_data) / 1000))


def _probe(pool: Pool) -> Probe | None:
    watching = next(iter(remaining([pool.monitor] if pool.monitor else [])), None)
    if watching is None or not watching.admin_state_up:
        return None
    return Probe(
        kind=PROBES[watching.type],
        interval=watching.delay,
        timeout=watching.timeout,
        attempts=watching.max_retries_down,
        successes=watching.max_retries,
        expects=_expects(watching),
    )


def _expects(monitor: Monitor) -> Expectation | None:
    if monitor.type is MonitorType.TCP:
        return None
    return Expectation(
        path=monitor.url_path or "/",
        statuses=matching_codes(monitor.expected_codes or "200"),
        host=monitor.domain_name,
        method=monitor.http_method or "GET",
    )


def _stickiness(pool: Pool) -> Stickiness | None:
    if pool.session_persistence:
        return STICKINESS[pool.session_persistence]
    return Stickiness.SOURCE_IP if pool.lb_algorithm is PoolAlgorithm.SOURCE_IP else None
