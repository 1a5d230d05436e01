"""Answers about a load balancer's health monitor and session persistence (CLB docs, monitors, sessions)."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing import clb_shapes
from tasks.localcloud.api.balancing.clb_bodies import MonitorBody, PersistenceBody, read
from tasks.localcloud.api.balancing.clb_monitor_requests import new_monitor, new_persistence
from tasks.localcloud.balancing import clb_rules
from tasks.localcloud.balancing.balancers import BalancerService
from tasks.localcloud.balancing.clb_model import Monitor

ACCEPTED = 202


async def show_monitor(service: BalancerService, request: Request) -> Response:
    """Show the health monitor; an empty object when there is none."""
    monitor = service.existing(request.path_params["balancer_id"]).monitor
    return JSONResponse({"healthMonitor": clb_shapes.monitor(monitor) if monitor else {}})


async def set_monitor(service: BalancerService, request: Request) -> Response:
    """Accept a health monitor, or other settings of the one that is there."""
    body = await read(request, MonitorBody, "healthMonitor")
    monitor = new_monitor(completed(body, service.get(request.path_params["balancer_id"]).monitor))
    balancer = service.mutable(request.path_params["balancer_id"])
    clb_rules.may_monitor(balancer, monitor)
    service.change(replace(balancer, monitor=monitor))
    return Response(status_code=ACCEPTED)


def completed(body: MonitorBody, present: Monitor | None) -> MonitorBody:
    """Keep what a monitor of the same type has and the body does not mention."""
    if present is None or body.type not in {None, present.type}:
        return body
    mentioned = body.model_dump(by_alias=True, exclude_none=True)
    return MonitorBody.model_validate({**clb_shapes.monitor(present), **mentioned})


async def delete_monitor(service: BalancerService, request: Request) -> Response:
    """Accept that nodes are watched no more: all are ONLINE then."""
    balancer = service.mutable(request.path_params["balancer_id"])
    clb_rules.may_delete_monitor(balancer)
    service.change(replace(balancer, monitor=None))
    return Response(status_code=ACCEPTED)


async def show_persistence(service: BalancerService, request: Request) -> Response:
    """Show session persistence; an empty object when there is none."""
    persistence = service.existing(request.path_params["balancer_id"]).persistence
    return JSONResponse({"sessionPersistence": {"persistenceType": persistence} if persistence else {}})


async def set_persistence(service: BalancerService, request: Request) -> Response:
    """Accept session persistence."""
    persistence = new_persistence(await read(request, PersistenceBody, "sessionPersistence"))
    balancer = service.mutable(request.path_params["balancer_id"])
    clb_rules.may_persist(balancer, persistence)
    service.change(replace(balancer, persistence=persistence))
    return Response(status_code=ACCEPTED)


async def delete_persistence(service: BalancerService, request: Request) -> Response:
    """Accept that clients are bound to nodes no more."""
    balancer = service.mutable(request.path_params["balancer_id"])
    clb_rules.may_delete_persistence(balancer)
    service.change(replace(balancer, persistence=None))
    return Response(status_code=ACCEPTED)
