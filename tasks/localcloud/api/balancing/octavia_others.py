"""Somebody else's change of a load balancer, which may come just before one that is asked for here.

Finds out which load balancer a request will change; whether there is such a change, a fault decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from starlette.requests import Request

from tasks.localcloud.balancing.octavia_faults import Fault
from tasks.localcloud.balancing.octavia_service import OctaviaService


async def let_others_change(service: OctaviaService, request: Request) -> None:
    """Let somebody else's change come before this one. A request that changes no load balancer has none before it."""
    with suppress(Fault):
        _begin(service, request.path_params or await _named_in_body(request))


def _begin(service: OctaviaService, ids: Mapping[str, Any]) -> None:
    match ids:
        case {"balancer_id": str(wanted)} | {"loadbalancer_id": str(wanted)}:
            service.let_others_change(service.balancer(wanted))
        case {"listener_id": str(wanted)}:
            service.let_others_change(service.listener(wanted)[0])
        case {"pool_id": str(wanted)}:
            service.let_others_change(service.pool(wanted)[0])
        case {"monitor_id": str(wanted)}:
            service.let_others_change(service.monitor(wanted)[0])


async def _named_in_body(request: Request) -> Mapping[str, Any]:
    """Give the attributes of what is to be created, where its load balancer is named, directly or by its listener."""
    with suppress(ValueError):
        match await request.json():
            case {"listener": dict(new)} | {"pool": dict(new)} | {"healthmonitor": dict(new)}:
                return new
    return {}
