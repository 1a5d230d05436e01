"""Answers about health monitors (Octavia api-ref, health monitors)."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing.octavia_bodies import read
from tasks.localcloud.api.balancing.octavia_context import CREATED, NO_CONTENT, Octavia
from tasks.localcloud.api.balancing.octavia_lists import listing, only_fields
from tasks.localcloud.api.balancing.octavia_pool_bodies import MonitorCreate, MonitorUpdate
from tasks.localcloud.api.balancing.octavia_requests import HTTP_DEFAULTS, new_monitor
from tasks.localcloud.balancing import octavia_faults, octavia_tree
from tasks.localcloud.balancing.octavia_model import LoadBalancer, Monitor, MonitorType, Pool
from tasks.localcloud.balancing.octavia_rules import check_monitor
from tasks.localcloud.balancing.octavia_service import mutable_pool


async def list_all(octavia: Octavia, request: Request) -> Response:
    """List the health monitors of all pools; `pool_id` narrows it down."""
    wanted = request.query_params.get("pool_id")
    shown = [
        view.monitor(pool.monitor, pool)
        for view in await octavia.views()
        for pool in view.balancer.pools
        if pool.monitor and wanted in {None, pool.id}
    ]
    return JSONResponse(listing(request, "healthmonitors", shown))


async def show(octavia: Octavia, request: Request) -> Response:
    """Show a health monitor."""
    balancer, pool, monitor = _wanted(octavia, request)
    shown = (await octavia.view(balancer)).monitor(monitor, pool)
    return JSONResponse({"healthmonitor": only_fields(shown, request.query_params)})


async def create(octavia: Octavia, request: Request) -> Response:
    """Accept a health monitor for a pool that has none."""
    body = await read(request, "healthmonitor", MonitorCreate)
    balancer, pool = octavia.service.pool(body.pool_id)
    if pool.monitor:
        raise octavia_faults.duplicate_monitor()
    return await _accept(octavia, balancer, pool, new_monitor(body), CREATED)


async def update(octavia: Octavia, request: Request) -> Response:
    """Accept a change of a health monitor."""
    body = await read(request, "healthmonitor", MonitorUpdate)
    balancer, pool, monitor = _wanted(octavia, request)
    defaults = {} if monitor.type is MonitorType.TCP else HTTP_DEFAULTS
    given = {name: defaults.get(name) if value is None else value for name, value in body.given().items()}
    changed = octavia_tree.changed(monitor, given)
    check_monitor(changed)
    return await _accept(octavia, balancer, pool, changed, 200)


async def delete(octavia: Octavia, request: Request) -> Response:
    """Accept the deletion of a health monitor."""
    balancer, pool, monitor = _wanted(octavia, request)
    mutable_pool(balancer, pool)
    octavia.service.accept(octavia_tree.with_monitor(balancer, pool, octavia_tree.leaving(monitor)))
    return Response(status_code=NO_CONTENT)


async def _accept(octavia: Octavia, balancer: LoadBalancer, pool: Pool, monitor: Monitor, code: int) -> Response:
    mutable_pool(balancer, pool)
    changed = octavia_tree.with_monitor(balancer, pool, monitor)
    octavia.service.accept(changed)
    shown = (await octavia.view(changed)).monitor(monitor, replace(pool, monitor=monitor))
    return JSONResponse({"healthmonitor": shown}, code)


def _wanted(octavia: Octavia, request: Request) -> tuple[LoadBalancer, Pool, Monitor]:
    return octavia.service.monitor(request.path_params["monitor_id"])
