"""Answers about the members of a pool (Octavia api-ref, members)."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing.octavia_balancers import TRUE
from tasks.localcloud.api.balancing.octavia_bodies import read, read_list
from tasks.localcloud.api.balancing.octavia_context import ACCEPTED, CREATED, NO_CONTENT, Octavia
from tasks.localcloud.api.balancing.octavia_lists import listing, only_fields
from tasks.localcloud.api.balancing.octavia_pool_bodies import MemberCreate, MemberUpdate
from tasks.localcloud.api.balancing.octavia_requests import batch, check_subnets, new_member
from tasks.localcloud.balancing import octavia_faults, octavia_tree
from tasks.localcloud.balancing.octavia_model import LoadBalancer, Member, Pool
from tasks.localcloud.balancing.octavia_rules import check_members
from tasks.localcloud.balancing.octavia_service import mutable_pool


async def list_all(octavia: Octavia, request: Request) -> Response:
    """List the members of a pool with the status that Envoy sees."""
    balancer, pool = _pool(octavia, request)
    view = await octavia.view(balancer)
    members = octavia.service.earlier(pool, seconds_ago=octavia.service.accidents.list_age(request)).members
    return JSONResponse(listing(request, "members", [view.member(member, pool) for member in members]))


async def show(octavia: Octavia, request: Request) -> Response:
    """Show a member."""
    balancer, pool, member = _wanted(octavia, request)
    shown = (await octavia.view(balancer)).member(member, pool)
    return JSONResponse({"member": only_fields(shown, request.query_params)})


async def create(octavia: Octavia, request: Request) -> Response:
    """Accept a member."""
    body = await read(request, "member", MemberCreate)
    check_subnets(octavia.service, [body])
    balancer, pool = _pool(octavia, request)
    member = new_member(body)
    check_members([*mutable_pool(balancer, pool).members, member])
    return await _accept(octavia, balancer, pool, member, CREATED)


async def update(octavia: Octavia, request: Request) -> Response:
    """Accept another weight, admin state and so on; address and port stay what they are."""
    body = await read(request, "member", MemberUpdate)
    balancer, pool, member = _wanted(octavia, request)
    mutable_pool(balancer, pool)
    return await _accept(octavia, balancer, pool, octavia_tree.changed(member, body.given()), 200)


async def update_many(octavia: Octavia, request: Request) -> Response:
    """Accept all members of a pool in one change: those that are not listed go, unless `additive_only=true` (v2.11)."""
    bodies = await read_list(request, "members", MemberCreate)
    check_subnets(octavia.service, bodies)
    balancer, pool = _pool(octavia, request)
    wanted = batch(mutable_pool(balancer, pool), bodies)
    if request.query_params.get("additive_only", "").lower() not in TRUE:
        places = {member.place for member in wanted}
        gone = [octavia_tree.leaving(member) for member in pool.members if member.place not in places]
        pool = replace(pool, members=_replaced(pool, gone))
    octavia.service.accept(octavia_tree.with_members(balancer, pool, wanted))
    return Response(status_code=ACCEPTED)


async def delete(octavia: Octavia, request: Request) -> Response:
    """Accept the removal of a member."""
    balancer, pool, member = _wanted(octavia, request)
    mutable_pool(balancer, pool)
    octavia.service.accept(octavia_tree.with_members(balancer, pool, [octavia_tree.leaving(member)]))
    return Response(status_code=NO_CONTENT)


async def _accept(octavia: Octavia, balancer: LoadBalancer, pool: Pool, member: Member, code: int) -> Response:
    changed = octavia_tree.with_members(balancer, pool, [member])
    octavia.service.accept(changed)
    return JSONResponse({"member": (await octavia.view(changed)).member(member, pool)}, code)


def _replaced(pool: Pool, members: list[Member]) -> tuple[Member, ...]:
    by_id = {member.id: member for member in members}
    return tuple(by_id.get(member.id, member) for member in pool.members)


def _pool(octavia: Octavia, request: Request) -> tuple[LoadBalancer, Pool]:
    return octavia.service.pool(request.path_params["pool_id"])


def _wanted(octavia: Octavia, request: Request) -> tuple[LoadBalancer, Pool, Member]:
    balancer, pool = _pool(octavia, request)
    member_id = request.path_params["member_id"]
    for member in pool.members:
        if member.id == member_id:
            return balancer, pool, member
    raise octavia_faults.not_found("Member", member_id)
