"""Answers about pools (Octavia api-ref, pools)."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing.octavia_bodies import read
from tasks.localcloud.api.balancing.octavia_context import CREATED, NO_CONTENT, Octavia
from tasks.localcloud.api.balancing.octavia_lists import listing, only_fields
from tasks.localcloud.api.balancing.octavia_pool_bodies import PoolCreate, PoolUpdate
from tasks.localcloud.api.balancing.octavia_requests import check_subnets, new_pool
from tasks.localcloud.balancing import octavia_faults, octavia_tree
from tasks.localcloud.balancing.octavia_model import LoadBalancer, Pool
from tasks.localcloud.balancing.octavia_rules import check_listener, check_pool
from tasks.localcloud.balancing.octavia_service import mutable, mutable_pool


async def list_all(octavia: Octavia, request: Request) -> Response:
    """List the pools of all load balancers; `loadbalancer_id` narrows it down."""
    wanted = request.query_params.get("loadbalancer_id")
    views = [view for view in await octavia.views() if wanted in {None, view.balancer.id}]
    shown = [view.pool(pool) for view in views for pool in view.balancer.pools]
    return JSONResponse(listing(request, "pools", shown))


async def show(octavia: Octavia, request: Request) -> Response:
    """Show a pool."""
    balancer, pool = _wanted(octavia, request)
    shown = (await octavia.view(balancer)).pool(pool)
    return JSONResponse({"pool": only_fields(shown, request.query_params)})


async def create(octavia: Octavia, request: Request) -> Response:
    """Accept a pool, for a load balancer or as the default pool of a listener, with members and monitor if wanted."""
    body = await read(request, "pool", PoolCreate)
    check_subnets(octavia.service, body.members)
    pool = new_pool(body)
    if body.listener_id:
        balancer = _with_default_pool(octavia, body.listener_id, pool)
    elif body.loadbalancer_id:
        balancer = mutable(octavia.service.balancer(body.loadbalancer_id))
    else:
        raise octavia_faults.invalid("Must provide at least one of loadbalancer_id or listener_id")
    changed = octavia_tree.with_pool(balancer, pool)
    octavia.service.accept(changed)
    return JSONResponse({"pool": (await octavia.view(changed)).pool(pool)}, CREATED)


async def update(octavia: Octavia, request: Request) -> Response:
    """Accept a change of a pool."""
    body = await read(request, "pool", PoolUpdate)
    balancer, pool = _wanted(octavia, request)
    changed = octavia_tree.changed(mutable_pool(balancer, pool), body.given())
    check_pool(changed)
    balancer = octavia_tree.with_pool(balancer, changed)
    octavia.service.accept(balancer)
    return JSONResponse({"pool": (await octavia.view(balancer)).pool(changed)})


async def delete(octavia: Octavia, request: Request) -> Response:
    """Accept the deletion of a pool with its members and its monitor."""
    balancer, pool = _wanted(octavia, request)
    octavia.service.accept(octavia_tree.without_pool(mutable(balancer), pool))
    return Response(status_code=NO_CONTENT)


def _with_default_pool(octavia: Octavia, listener_id: str, pool: Pool) -> LoadBalancer:
    """Let a listener, if it has none, send its requests to a new pool."""
    balancer, listener = octavia.service.listener(listener_id)
    if listener.default_pool_id:
        raise octavia_faults.duplicate_pool()
    chosen = replace(listener, default_pool_id=pool.id)
    check_listener(replace(balancer, pools=(*balancer.pools, pool)), chosen)
    return octavia_tree.with_listener(mutable(balancer), octavia_tree.locked(chosen))


def _wanted(octavia: Octavia, request: Request) -> tuple[LoadBalancer, Pool]:
    return octavia.service.pool(request.path_params["pool_id"])
