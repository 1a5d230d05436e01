"""Octavia v2 over HTTP: which path and method is answered by what, behind the token check.

The catalog's endpoint is unversioned: it lists the versions, and the service is below /v2/lbaas, and /v2.0/lbaas for
clients as old as their habit (octavia/api/root_controller.py).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from tasks.localcloud.api.authentication import TokenCheck
from tasks.localcloud.api.balancing import (
    octavia_balancers,
    octavia_listeners,
    octavia_members,
    octavia_monitors,
    octavia_offerings,
    octavia_pools,
)
from tasks.localcloud.api.balancing.octavia_context import Octavia
from tasks.localcloud.api.balancing.octavia_others import let_others_change
from tasks.localcloud.api.faults import handlers
from tasks.localcloud.balancing.octavia_faults import Fault, provider_broken
from tasks.localcloud.identity.credentials import Tokens
from tasks.localcloud.proxy.admin import EnvoySilent

log = logging.getLogger(__name__)

Answer = Callable[[Octavia, Request], Awaitable[Response]]

BALANCER = "/loadbalancers/{balancer_id}"
LISTENER = "/listeners/{listener_id}"
POOL = "/pools/{pool_id}"
MEMBER = POOL + "/members/{member_id}"
MONITOR = "/healthmonitors/{monitor_id}"

ANSWERS: dict[str, dict[str, Answer]] = {
    "/loadbalancers": {"GET": octavia_balancers.list_all, "POST": octavia_balancers.create},
    BALANCER: {
        "GET": octavia_balancers.show,
        "PUT": octavia_balancers.update,
        "DELETE": octavia_balancers.delete,
    },
    BALANCER + "/status": {"GET": octavia_balancers.status},
    BALANCER + "/statuses": {"GET": octavia_balancers.status},
    BALANCER + "/stats": {"GET": octavia_balancers.statistics},
    BALANCER + "/failover": {"PUT": octavia_balancers.fail_over},
    "/listeners": {"GET": octavia_listeners.list_all, "POST": octavia_listeners.create},
    LISTENER: {
        "GET": octavia_listeners.show,
        "PUT": octavia_listeners.update,
        "DELETE": octavia_listeners.delete,
    },
    LISTENER + "/stats": {"GET": octavia_listeners.statistics},
    "/pools": {"GET": octavia_pools.list_all, "POST": octavia_pools.create},
    POOL: {"GET": octavia_pools.show, "PUT": octavia_pools.update, "DELETE": octavia_pools.delete},
    POOL + "/members": {
        "GET": octavia_members.list_all,
        "POST": octavia_members.create,
        "PUT": octavia_members.update_many,
    },
    MEMBER: {"GET": octavia_members.show, "PUT": octavia_members.update, "DELETE": octavia_members.delete},
    "/healthmonitors": {"GET": octavia_monitors.list_all, "POST": octavia_monitors.create},
    MONITOR: {"GET": octavia_monitors.show, "PUT": octavia_monitors.update, "DELETE": octavia_monitors.delete},
    "/quotas": {"GET": octavia_offerings.quotas},
    "/quotas/defaults": {"GET": octavia_offerings.default_quotas},
    "/quotas/{project_id}": {
        "GET": octavia_offerings.show_quota,
        "PUT": octavia_offerings.set_quota,
        "DELETE": octavia_offerings.reset_quota,
    },
    "/quotas/{project_id}/default": {"GET": octavia_offerings.default_quotas},
    "/providers": {"GET": octavia_offerings.providers},
    **{
        f"/{path}": {"GET": octavia_offerings.none_of(root)}
        for path, root in {
            "flavors": "flavors",
            "flavorprofiles": "flavorprofiles",
            "availabilityzones": "availability_zones",
            "availabilityzoneprofiles": "availability_zone_profiles",
            "l7policies": "l7policies",
        }.items()
    },
}


def octavia_application(octavia: Octavia, tokens: Tokens) -> Starlette:
    """Give the ASGI application; paths are below its mount point."""
    routes = [
        Route(path, answering(octavia, answer), methods=[method])
        for path, answers in ANSWERS.items()
        for method, answer in answers.items()
    ]
    service = Starlette(
        routes=routes, middleware=[Middleware(TokenCheck, tokens=tokens)], exception_handlers=handlers(_refuse)
    )
    versions = answering(octavia, octavia_offerings.versions)
    return Starlette(
        routes=[Route("/", versions), *(Mount(f"/{version}/lbaas", service) for version in ("v2", "v2.0"))],
        exception_handlers=handlers(_refuse),
    )


def answering(octavia: Octavia, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """Turn what the service refuses, or what its proxy does not say, into the answer for it."""

    async def respond(request: Request) -> Response:
        try:
            if request.method != "GET":
                await let_others_change(octavia.service, request)
            return await answer(octavia, request)
        except Fault as fault:
            return JSONResponse(fault.body, fault.code)
        except EnvoySilent as silence:
            log.exception("%s %s", request.method, request.url.path)
            broken = provider_broken(str(silence))
            return JSONResponse(broken.body, broken.code)

    return respond


async def _refuse(_: Request, error: Exception) -> Response:
    """Word what is no answer of the service's own: an unknown path or method, or a bug."""
    if isinstance(error, HTTPException):
        fault = Fault(error.status_code, error.detail)
    else:
        fault = Fault(500, "a bug of the local cloud, see its daemon log")
    return JSONResponse(fault.body, fault.code)
