"""How load balancers, listeners, pools and members are doing: the operating status (Octavia api-ref, operating status).

Pure: the tree and what Envoy has seen, in; statuses out (octavia/amphorae/drivers/health/heartbeat_udp.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from tasks.localcloud.balancing.octavia_frontends import endpoint
from tasks.localcloud.balancing.octavia_model import Listener, LoadBalancer, Member, Monitor, Pool, Provisioning
from tasks.localcloud.proxy.frontends import Endpoint, Health

Healths = Mapping[Endpoint, Health]


class Operating(StrEnum):
    """What an operating status can be."""

    ONLINE = "ONLINE"
    DRAINING = "DRAINING"
    OFFLINE = "OFFLINE"
    DEGRADED = "DEGRADED"
    ERROR = "ERROR"
    NO_MONITOR = "NO_MONITOR"


def of_member(member: Member, pool: Pool, healths: Healths) -> Operating:
    """Tell how a member is doing. One that fails its checks is in ERROR; OFFLINE is one not served or not seen yet."""
    if not (member.admin_state_up and pool.admin_state_up):
        return Operating.OFFLINE
    watched = pool.monitor is not None and pool.monitor.admin_state_up
    if watched and (member.provisioning_status is Provisioning.PENDING_CREATE or endpoint(member) not in healths):
        return Operating.OFFLINE
    if watched and healths[endpoint(member)] is Health.OFFLINE:
        return Operating.ERROR
    if not member.weight:
        return Operating.DRAINING
    return Operating.ONLINE if watched else Operating.NO_MONITOR


def of_pool(pool: Pool, balancer: LoadBalancer, healths: Healths) -> Operating:
    """Tell how a pool is doing: ERROR when all its members are, DEGRADED when some are."""
    serves = any(_up(listener) for listener in balancer.listeners_of(pool))
    if not (pool.admin_state_up and balancer.admin_state_up and serves):
        return Operating.OFFLINE
    return _worst(of_member(member, pool, healths) for member in pool.members)


def of_listener(listener: Listener, balancer: LoadBalancer) -> Operating:
    """Tell whether a listener listens."""
    return Operating.ONLINE if balancer.admin_state_up and _up(listener) else Operating.OFFLINE


def of_monitor(monitor: Monitor) -> Operating:
    """Tell whether a health monitor is at work."""
    return Operating.ONLINE if _up(monitor) else Operating.OFFLINE


def of_balancer(balancer: LoadBalancer, pools: Mapping[str, Healths]) -> Operating:
    """Tell how a load balancer is doing: ERROR or DEGRADED as the worst of its pools; `pools` is health by pool id."""
    if not _up(balancer):
        return Operating.OFFLINE
    statuses = {of_pool(pool, balancer, pools[pool.id]) for pool in balancer.pools}
    return next((bad for bad in (Operating.ERROR, Operating.DEGRADED) if bad in statuses), Operating.ONLINE)


def _up(thing: LoadBalancer | Listener | Monitor) -> bool:
    """Whether something is wanted, and there already."""
    return thing.admin_state_up and thing.provisioning_status is not Provisioning.PENDING_CREATE


def _worst(members: Iterable[Operating]) -> Operating:
    statuses = list(members)
    if Operating.ERROR not in statuses:
        return Operating.ONLINE
    return Operating.ERROR if set(statuses) == {Operating.ERROR} else Operating.DEGRADED
