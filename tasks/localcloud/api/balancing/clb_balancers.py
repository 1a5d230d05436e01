"""Answers about load balancers themselves (CLB docs, load-balancers)."""

from dataclasses import replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing import clb_shapes
from tasks.localcloud.api.balancing.clb_balancer_requests import changed_balancer, new_balancer, refuse_unchangeable
from tasks.localcloud.api.balancing.clb_bodies import BalancerBody, read
from tasks.localcloud.api.balancing.clb_paging import ids, page
from tasks.localcloud.balancing import clb_rules
from tasks.localcloud.balancing.balancers import BalancerService
from tasks.localcloud.balancing.clb_faults import bad_request
from tasks.localcloud.balancing.clb_model import PROTOCOLS, LoadBalancer, Status
from tasks.localcloud.proxy.frontends import Algorithm

ACCEPTED = 202


async def list_all(service: BalancerService, request: Request) -> Response:
    """List load balancers; deleted ones only with `?status=DELETED` (CLB docs, list load balancers)."""
    query = request.query_params
    if address := query.get("nodeaddress"):
        found = [kept for kept in service.kept() if any(node.endpoint.address == address for node in kept.nodes)]
        return JSONResponse({"loadBalancers": [clb_shapes.identity(balancer) for balancer in found]})
    balancers = selected(service, query.get("status"), query.get("name"))
    if since := query.get("changes-since"):
        earliest = moment(since)
        balancers = [balancer for balancer in balancers if balancer.updated >= earliest]
    shown = page(balancers, lambda balancer: balancer.id, query)
    return JSONResponse({"loadBalancers": [clb_shapes.summary(balancer) for balancer in shown]})


def selected(service: BalancerService, status: str | None, name: str | None) -> list[LoadBalancer]:
    """Find load balancers by status and name; names are not unique."""
    if name == "":
        raise bad_request("Must supply LoadBalancer name to process this request.")
    return [
        balancer
        for balancer in service.all()
        if (balancer.status == status if status else balancer.status is not Status.DELETED)
        and (name is None or balancer.name == name)
    ]


def moment(text: str) -> datetime:
    """Read an ISO-8601 time; one without an offset is UTC.

    :raises Fault: 400.
    """
    try:
        time = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped + arrives as a space
    except ValueError as error:
        raise bad_request("Date parameters must follow ISO-8601 format") from error
    return time if time.tzinfo else datetime.fromisoformat(f"{text}Z")


async def create(service: BalancerService, request: Request) -> Response:
    """Accept a new load balancer (CLB docs, create load balancer)."""
    new = new_balancer(await read(request, BalancerBody, "loadBalancer"), service)
    clb_rules.may_create(list(service.kept()), new, service.node_limit)
    if not new.virtual_ip.id:
        new = replace(new, virtual_ip=service.new_virtual_ip(new.virtual_ip.type))
    return JSONResponse({"loadBalancer": clb_shapes.created(service.build(new))}, ACCEPTED)


async def show(service: BalancerService, request: Request) -> Response:
    """Show a load balancer; of a deleted one, only what is left of it."""
    balancer = service.get(request.path_params["balancer_id"])
    healths = await service.health(balancer)
    earlier = service.earlier(balancer, seconds_ago=service.accidents.list_age(request))
    return JSONResponse({"loadBalancer": clb_shapes.details(earlier, healths)})


async def update(service: BalancerService, request: Request) -> Response:
    """Accept a change (CLB docs, update load balancer)."""
    body = await read(request, BalancerBody, "loadBalancer")
    refuse_unchangeable(body)
    changed = changed_balancer(service.mutable(request.path_params["balancer_id"]), body)
    clb_rules.may_update(service.kept(), changed)
    service.change(changed)
    return Response(status_code=ACCEPTED)


async def delete(service: BalancerService, request: Request) -> Response:
    """Accept the deletion of one load balancer."""
    return delete_all(service, [request.path_params["balancer_id"]])


async def delete_many(service: BalancerService, request: Request) -> Response:
    """Accept the deletion of up to ten load balancers, all or none (CLB docs, bulk-delete load balancers)."""
    wanted = ids(request.query_params)
    if not wanted:
        raise bad_request(clb_rules.NO_IDS)
    limit = clb_rules.BATCH_DELETE_LIMIT
    if len(wanted) > limit:
        raise bad_request(
            f"Currently, the limit of accepted parameters is: {limit} :please supply a valid parameter list."
        )
    return delete_all(service, wanted)


def delete_all(service: BalancerService, wanted: list[int]) -> Response:
    """Delete these load balancers, if every one of them can be."""
    clb_rules.may_delete(service.all(), wanted)
    for balancer_id in wanted:
        service.delete(service.get(balancer_id))
    return Response(status_code=ACCEPTED)


async def virtual_ips(service: BalancerService, request: Request) -> Response:
    """List a load balancer's virtual IPs: one, here."""
    balancer = service.existing(request.path_params["balancer_id"])
    return JSONResponse({"virtualIps": [clb_shapes.virtual_ip(balancer.virtual_ip)]})


async def stats(service: BalancerService, request: Request) -> Response:
    """Show what Envoy has counted, fresh; the service's own numbers may be five minutes old (CLB docs, stats)."""
    balancer = service.existing(request.path_params["balancer_id"])
    counters = await service.envoy.counters(balancer.frontend_name)
    return JSONResponse(clb_shapes.stats(counters))


async def algorithms(_service: BalancerService, _request: Request) -> Response:
    """List the algorithms."""
    return JSONResponse({"algorithms": [{"name": algorithm} for algorithm in Algorithm]})


async def protocols(_service: BalancerService, _request: Request) -> Response:
    """List the protocols with their ports; 0 where a port has to be given (CLB docs, protocols)."""
    return JSONResponse({"protocols": [{"name": name, "port": port or 0} for name, port in PROTOCOLS.items()]})


async def absolute_limits(service: BalancerService, _request: Request) -> Response:
    """List the limits that apply (CLB docs, limits)."""
    limits = {
        "LOADBALANCER_LIMIT": clb_rules.BALANCER_LIMIT,
        "NODE_LIMIT": service.node_limit,
        "BATCH_DELETE_LIMIT": clb_rules.BATCH_DELETE_LIMIT,
        "LOADBALANCER_META_LIMIT": clb_rules.META_LIMIT,
        "NODE_META_LIMIT": clb_rules.META_LIMIT,
    }
    return JSONResponse({"absolute": [{"name": name, "value": value} for name, value in limits.items()]})
