"""The status tree of a load balancer (octavia/api/v2/types, *StatusResponse): parts of its full views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.localcloud.api.balancing.octavia_views import View
from tasks.localcloud.balancing.octavia_model import Listener, Pool

Json = dict[str, Any]

STATUSES = ("id", "name", "provisioning_status", "operating_status")


def tree(view: View) -> Json:
    """Show the statuses of a load balancer, its listeners, their pools, and what is in those."""
    listeners = [_listener(view, listener) for listener in view.balancer.listeners]
    return {"loadbalancer": {**_only(view.load_balancer(), STATUSES), "listeners": listeners}}


def _listener(view: View, listener: Listener) -> Json:
    pools = [_pool(view, pool) for pool in view.balancer.pools if pool.id == listener.default_pool_id]
    return {**_only(view.listener(listener), STATUSES), "pools": pools}


def _pool(view: View, pool: Pool) -> Json:
    members = [_only(view.member(each, pool), (*STATUSES, "address", "protocol_port")) for each in pool.members]
    shown = {**_only(view.pool(pool), STATUSES), "members": members}
    if pool.monitor:
        shown["health_monitor"] = _only(view.monitor(pool.monitor, pool), (*STATUSES, "type"))
    return shown


def _only(shown: Mapping[str, Any], names: Iterable[str]) -> Json:
    return {name: shown[name] for name in names}
