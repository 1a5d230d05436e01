"""Answers about listeners (Octavia api-ref, listeners)."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing.octavia_balancer_bodies import ListenerCreate, ListenerUpdate
from tasks.localcloud.api.balancing.octavia_bodies import read
from tasks.localcloud.api.balancing.octavia_context import CREATED, NO_CONTENT, Octavia
from tasks.localcloud.api.balancing.octavia_lists import listing, only_fields
from tasks.localcloud.api.balancing.octavia_requests import check_subnets, new_listener, new_pool
from tasks.localcloud.api.balancing.octavia_views import stats
from tasks.localcloud.balancing import octavia_tree
from tasks.localcloud.balancing.octavia_frontends import frontend_name
from tasks.localcloud.balancing.octavia_model import Listener, LoadBalancer
from tasks.localcloud.balancing.octavia_rules import check_listener
from tasks.localcloud.balancing.octavia_service import mutable


async def list_all(octavia: Octavia, request: Request) -> Response:
    """List the listeners of all load balancers; `loadbalancer_id` narrows it down."""
    views = [view for view in await octavia.views() if _of(view.balancer, request)]
    shown = [view.listener(listener) for view in views for listener in view.balancer.listeners]
    return JSONResponse(listing(request, "listeners", shown))


async def show(octavia: Octavia, request: Request) -> Response:
    """Show a listener."""
    balancer, listener = _wanted(octavia, request)
    shown = (await octavia.view(balancer)).listener(listener)
    return JSONResponse({"listener": only_fields(shown, request.query_params)})


async def create(octavia: Octavia, request: Request) -> Response:
    """Accept a listener, with a pool of its own if the body brings one."""
    body = await read(request, "listener", ListenerCreate)
    balancer = octavia.service.balancer(body.loadbalancer_id)
    listener = new_listener(body)
    pools = balancer.pools
    if body.default_pool:
        check_subnets(octavia.service, body.default_pool.members)
        pool = new_pool(body.default_pool)
        pools, listener = (*pools, pool), replace(listener, default_pool_id=pool.id)
    check_listener(replace(balancer, pools=pools), listener)
    return await _accept(octavia, replace(mutable(balancer), pools=pools), listener, CREATED)


async def update(octavia: Octavia, request: Request) -> Response:
    """Accept a change of a listener."""
    body = await read(request, "listener", ListenerUpdate)
    balancer, listener = _wanted(octavia, request)
    changed = octavia_tree.changed(listener, body.given())
    check_listener(balancer, changed)
    return await _accept(octavia, mutable(balancer), changed, 200)


async def delete(octavia: Octavia, request: Request) -> Response:
    """Accept the deletion of a listener; its pool stays."""
    balancer, listener = _wanted(octavia, request)
    octavia.service.accept(octavia_tree.with_listener(mutable(balancer), octavia_tree.leaving(listener)))
    return Response(status_code=NO_CONTENT)


async def statistics(octavia: Octavia, request: Request) -> Response:
    """Show what Envoy has counted on a listener."""
    _, listener = _wanted(octavia, request)
    return JSONResponse({"stats": stats([await octavia.service.envoy.counters(frontend_name(listener))])})


async def _accept(octavia: Octavia, balancer: LoadBalancer, listener: Listener, code: int) -> Response:
    changed = octavia_tree.with_listener(balancer, listener)
    octavia.service.accept(changed)
    return JSONResponse({"listener": (await octavia.view(changed)).listener(listener)}, code)


def _wanted(octavia: Octavia, request: Request) -> tuple[LoadBalancer, Listener]:
    return octavia.service.listener(request.path_params["listener_id"])


def _of(balancer: LoadBalancer, request: Request) -> bool:
    return request.query_params.get("loadbalancer_id", balancer.id) == balancer.id
