"""Cloud Load Balancers v1.0 over HTTP: which path and method is answered by what.

Paths are those below /v1.0/{project}. Tokens are somebody else's business.
"""

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.balancing import clb_balancers, clb_metadata, clb_nodes, clb_settings
from tasks.localcloud.balancing.balancers import BalancerService
from tasks.localcloud.balancing.clb_faults import Fault, proxy_broken
from tasks.localcloud.proxy.admin import EnvoySilent

log = logging.getLogger(__name__)

Answer = Callable[[BalancerService, Request], Awaitable[Response]]

BALANCER = "/loadbalancers/{balancer_id:int}"
NODE = BALANCER + "/nodes/{node_id:int}"

ANSWERS: dict[str, dict[str, Answer]] = {
    "/loadbalancers": {
        "GET": clb_balancers.list_all,
        "POST": clb_balancers.create,
        "DELETE": clb_balancers.delete_many,
    },
    "/loadbalancers/absolutelimits": {"GET": clb_balancers.absolute_limits},
    "/loadbalancers/algorithms": {"GET": clb_balancers.algorithms},
    "/loadbalancers/protocols": {"GET": clb_balancers.protocols},
    BALANCER: {"GET": clb_balancers.show, "PUT": clb_balancers.update, "DELETE": clb_balancers.delete},
    BALANCER + "/stats": {"GET": clb_balancers.stats},
    BALANCER + "/virtualips": {"GET": clb_balancers.virtual_ips},
    BALANCER + "/nodes": {
        "GET": clb_nodes.list_all,
        "POST": clb_nodes.add,
        "PUT": clb_nodes.update_many,
        "DELETE": clb_nodes.delete_many,
    },
    BALANCER + "/nodes/events": {"GET": clb_nodes.events},
    NODE: {"GET": clb_nodes.show, "PUT": clb_nodes.update, "DELETE": clb_nodes.delete},
    BALANCER + "/healthmonitor": {
        "GET": clb_settings.show_monitor,
        "PUT": clb_settings.set_monitor,
        "DELETE": clb_settings.delete_monitor,
    },
    BALANCER + "/sessionpersistence": {
        "GET": clb_settings.show_persistence,
        "PUT": clb_settings.set_persistence,
        "DELETE": clb_settings.delete_persistence,
    },
    **{
        owner + "/metadata": {
            "GET": clb_metadata.list_all,
            "POST": clb_metadata.add,
            "DELETE": clb_metadata.delete_many,
        }
        for owner in (BALANCER, NODE)
    },
    **{
        owner + "/metadata/{meta_id:int}": {
            "GET": clb_metadata.show,
            "PUT": clb_metadata.update,
            "DELETE": clb_metadata.delete,
        }
        for owner in (BALANCER, NODE)
    },
}


def routes(service: BalancerService) -> list[Route]:
    """Make the routes of the service; a method that a path does not have is 405."""
    return [
        Route(path, answering(service, answer), methods=[method])
        for path, answers in ANSWERS.items()
        for method, answer in answers.items()
    ]


def answering(service: BalancerService, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """Turn what the service refuses, or what its proxy does not say, into the answer for it."""

    async def respond(request: Request) -> Response:
        if request.method != "GET" and "balancer_id" in request.path_params:
            service.let_others_change(request.path_params["balancer_id"])
        try:
            return await answer(service, request)
        except Fault as fault:
            return JSONResponse(fault.body, fault.code)
        except EnvoySilent as silence:
            log.exception("%s %s", request.method, request.url.path)
            broken = proxy_broken(str(silence))
            return JSONResponse(broken.body, broken.code)

    return respond
