"""How a load balancer of Octavia changes: what a change locks, and what is left when it has settled.

Pure: trees in, trees out. A change of anything locks the whole load balancer, and the listeners and the pool it
passes through (octavia/db/repositories.py, test_and_set_lb_and_listeners_prov_status).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from tasks.localcloud.balancing.octavia_model import (
    Listener,
    LoadBalancer,
    Member,
    Monitor,
    Pool,
    Provisioning,
    Resource,
)

Thing = TypeVar("Thing", bound=Resource)


def now() -> datetime:
    """Return the present, in UTC and whole seconds, as the service tells time."""
    return datetime.now(UTC).replace(microsecond=0)


def changed(thing: Thing, attributes: Mapping[str, Any]) -> Thing:
    """Give something new attributes; null is the default, or no change where there is none (_set_default_on_none)."""
    defaults = {field.name: _default(field) for field in dataclasses.fields(thing)}
    wanted = {name: defaults[name] if value is None else value for name, value in attributes.items()}
    real = {name: value for name, value in wanted.items() if value is not dataclasses.MISSING}
    return replace(thing, updated_at=now(), provisioning_status=Provisioning.PENDING_UPDATE, **real)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def locked(thing: Thing) -> Thing:
    """Mark what a change passes through; what is being created or deleted stays so."""
    if thing.provisioning_status is not Provisioning.ACTIVE:
        return thing
    return replace(thing, provisioning_status=Provisioning.PENDING_UPDATE)


def leaving(thing: Thing) -> Thing:
    """Mark what is being deleted."""
    return replace(thing, provisioning_status=Provisioning.PENDING_DELETE)


def with_listener(balancer: LoadBalancer, listener: Listener) -> LoadBalancer:
    """Put a listener in, in the place of the one with its id."""
    return replace(locked(balancer), listeners=_put(balancer.listeners, listener))


def with_pool(balancer: LoadBalancer, pool: Pool) -> LoadBalancer:
    """Put a pool in, in the place of the one with its id, and lock its listeners."""
    touched = {listener.id for listener in balancer.listeners_of(pool)}
    listeners = tuple(locked(each) if each.id in touched else each for each in balancer.listeners)
    return replace(locked(balancer), pools=_put(balancer.pools, pool), listeners=listeners)


def without_pool(balancer: LoadBalancer, pool: Pool) -> LoadBalancer:
    """Delete a pool with all it has; its listeners have no pool any more."""
    orphaned = with_pool(balancer, leaving(pool))
    listeners = tuple(
        replace(each, default_pool_id=None) if each.default_pool_id == pool.id else each for each in orphaned.listeners
    )
    return replace(orphaned, listeners=listeners)


def with_members(balancer: LoadBalancer, pool: Pool, members: Iterable[Member]) -> LoadBalancer:
    """Put members into a pool, each in the place of the one with its id."""
    held = pool.members
    for member in members:
        held = _put(held, member)
    return with_pool(balancer, replace(locked(pool), members=held))


def with_monitor(balancer: LoadBalancer, pool: Pool, monitor: Monitor) -> LoadBalancer:
    """Give a pool its health monitor."""
    return with_pool(balancer, replace(locked(pool), monitor=monitor))


def remaining(things: Iterable[Thing]) -> tuple[Thing, ...]:
    """Leave out what is being deleted."""
    return tuple(thing for thing in things if thing.provisioning_status is not Provisioning.PENDING_DELETE)


def settled(balancer: LoadBalancer) -> LoadBalancer:
    """End a change: what was to go is gone, everything else is ACTIVE."""
    pools = tuple(
        replace(
            pool,
            provisioning_status=Provisioning.ACTIVE,
            members=_active(pool.members),
            monitor=next(iter(_active([pool.monitor] if pool.monitor else [])), None),
        )
        for pool in remaining(balancer.pools)
    )
    listeners = _active(balancer.listeners)
    return replace(balancer, provisioning_status=Provisioning.ACTIVE, listeners=listeners, pools=pools)


def failed(balancer: LoadBalancer) -> LoadBalancer:
    """End a change that could not be made: the load balancer and everything the change concerned is in ERROR."""
    pools = tuple(
        _failed(
            replace(pool, members=_all_failed(pool.members), monitor=_failed(pool.monitor) if pool.monitor else None)
        )
        for pool in balancer.pools
    )
    return replace(
        balancer, provisioning_status=Provisioning.ERROR, listeners=_all_failed(balancer.listeners), pools=pools
    )


def _put(things: tuple[Thing, ...], thing: Thing) -> tuple[Thing, ...]:
    if all(each.id != thing.id for each in things):
        return (*things, thing)
    return tuple(thing if each.id == thing.id else each for each in things)


def _active(things: Iterable[Thing]) -> tuple[Thing, ...]:
    return tuple(replace(thing, provisioning_status=Provisioning.ACTIVE) for thing in remaining(things))


def _failed(thing: Thing) -> Thing:
    if thing.provisioning_status is Provisioning.ACTIVE:
        return thing
    return replace(thing, provisioning_status=Provisioning.ERROR)


def _all_failed(things: Iterable[Thing]) -> tuple[Thing, ...]:
    return tuple(_failed(thing) for thing in things)
