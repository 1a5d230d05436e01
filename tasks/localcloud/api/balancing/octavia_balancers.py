"""Answers about load balancers themselves (Octavia api-ref, load balancers)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing.octavia_balancer_bodies import BalancerCreate, BalancerUpdate
from tasks.localcloud.api.balancing.octavia_bodies import read
from tasks.localcloud.api.balancing.octavia_context import CREATED, NO_CONTENT, Octavia
from tasks.localcloud.api.balancing.octavia_lists import listing, only_fields
from tasks.localcloud.api.balancing.octavia_requests import check_subnets, check_vip, defined_pools, new_balancer
from tasks.localcloud.api.balancing.octavia_trees import tree
from tasks.localcloud.api.balancing.octavia_views import stats
from tasks.localcloud.balancing import octavia_faults, octavia_tree
from tasks.localcloud.balancing.octavia_frontends import frontend_name
from tasks.localcloud.balancing.octavia_model import LoadBalancer, Provisioning

TRUE = {"1", "t", "true", "on", "y", "yes"}  # oslo_utils.strutils.bool_from_string


async def list_all(octavia: Octavia, request: Request) -> Response:
    """List the load balancers."""
    shown = [view.load_balancer() for view in await octavia.views()]
    return JSONResponse(listing(request, "loadbalancers", shown))


async def show(octavia: Octavia, request: Request) -> Response:
    """Show a load balancer."""
    view = await octavia.view(_wanted(octavia, request))
    return JSONResponse({"loadbalancer": only_fields(view.load_balancer(), request.query_params)})


async def create(octavia: Octavia, request: Request) -> Response:
    """Accept a load balancer, with everything in it if the body says so: all of it or nothing."""
    body = await read(request, "loadbalancer", BalancerCreate)
    service = octavia.service
    check_vip(body, service.subnet)
    for pool in defined_pools(body):
        check_subnets(service, pool.members)
    vip = service.new_virtual_ip(body.vip_address)
    try:
        balancer = new_balancer(body, vip)
        service.accept(balancer)
    except octavia_faults.Fault:
        service.give_back(vip)
        raise
    return JSONResponse({"loadbalancer": (await octavia.view(balancer)).full_load_balancer()}, CREATED)


async def update(octavia: Octavia, request: Request) -> Response:
    """Accept another name, description, admin state or tags."""
    body = await read(request, "loadbalancer", BalancerUpdate)
    balancer = _wanted(octavia, request)
    _check_state(balancer, {Provisioning.ACTIVE})
    changed = octavia_tree.changed(balancer, body.given())
    octavia.service.accept(changed)
    return JSONResponse({"loadbalancer": (await octavia.view(changed)).load_balancer()})


async def delete(octavia: Octavia, request: Request) -> Response:
    """Accept a deletion; of what is in it as well with `cascade=true`. In ERROR this is all that can be done."""
    balancer = _wanted(octavia, request)
    if (balancer.listeners or balancer.pools) and request.query_params.get("cascade", "").lower() not in TRUE:
        raise octavia_faults.invalid(f"Cannot delete Load Balancer {balancer.id} - it has children")
    _check_state(balancer, {Provisioning.ACTIVE, Provisioning.ERROR})
    octavia.service.delete(balancer)
    return Response(status_code=NO_CONTENT)


async def status(octavia: Octavia, request: Request) -> Response:
    """Show the status tree."""
    return JSONResponse({"statuses": tree(await octavia.view(_wanted(octavia, request)))})


async def statistics(octavia: Octavia, request: Request) -> Response:
    """Show what Envoy has counted on all listeners, fresh."""
    balancer = _wanted(octavia, request)
    counters = [await octavia.service.envoy.counters(frontend_name(each)) for each in balancer.listeners]
    return JSONResponse({"stats": stats(counters)})


async def fail_over(octavia: Octavia, request: Request) -> Response:
    """Refuse to replace amphorae: there are none.

    :raises Fault: 501.
    """
    balancer = _wanted(octavia, request)
    raise octavia_faults.unsupported(f"failover of load balancer {balancer.id}: nothing here could be replaced")


def _wanted(octavia: Octavia, request: Request) -> LoadBalancer:
    return octavia.service.balancer(request.path_params["balancer_id"])


def _check_state(balancer: LoadBalancer, allowed: set[Provisioning]) -> None:
    if balancer.provisioning_status not in allowed:
        raise octavia_faults.invalid_state(balancer.id, balancer.provisioning_status)
