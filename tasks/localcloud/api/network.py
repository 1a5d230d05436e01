"""The network service, as far as clients need it to place a virtual IP: networks, subnets and ports can be seen.

Facts: networking api-ref, v2. Nothing can be created: every server and virtual IP has its port already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from tasks.localcloud.api import network_views
from tasks.localcloud.api.authentication import TokenCheck
from tasks.localcloud.api.balancing.octavia_lists import matches, only_fields
from tasks.localcloud.api.faults import handlers
from tasks.localcloud.balancing.octavia_service import OctaviaService
from tasks.localcloud.compute.servers import Servers
from tasks.localcloud.identity.credentials import Tokens

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Networking:
    """What is on the cloud's one network."""

    project: str
    servers: Servers
    balancers: OctaviaService
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def networks(self) -> list[Json]:
        """Show the network."""
        return [network_views.network(self.balancers.subnet, self.project, self.created)]

    def subnets(self) -> list[Json]:
        """Show the subnet."""
        return [network_views.subnet(self.balancers.subnet, self.project, self.created)]

    def ports(self) -> list[Json]:
        """Show the ports of servers and of Octavia's virtual IPs."""
        subnet = self.balancers.subnet
        of_servers = [network_views.server_port(each, subnet, self.project) for each in self.servers.existing()]
        return [*of_servers, *(network_views.vip_port(each, subnet, self.project) for each in self.balancers.all())]


def network_application(networking: Networking, tokens: Tokens) -> Starlette:
    """Give the ASGI application; paths are below its mount point."""
    shown = {"network": networking.networks, "subnet": networking.subnets, "port": networking.ports}
    routes = [
        Route("/extensions", _no_extensions),
        *(Route(f"/{kind}s", _lister(kind, look)) for kind, look in shown.items()),
        *(Route(f"/{kind}s/{{id}}", _shower(kind, look)) for kind, look in shown.items()),
    ]
    answers = handlers(_refuse)
    service = Starlette(routes=routes, middleware=[Middleware(TokenCheck, tokens=tokens)], exception_handlers=answers)
    return Starlette(routes=[Route("/", _versions), Mount("/v2.0", service)], exception_handlers=answers)


def _lister(kind: str, look: Callable[[], list[Json]]) -> Callable[[Request], Awaitable[Response]]:
    async def list_all(request: Request) -> Response:
        query = request.query_params
        found = [item for item in look() if matches(item, query) and _has_addresses(item, query.getlist("fixed_ips"))]
        return JSONResponse({f"{kind}s": [only_fields(item, query) for item in found]})

    return list_all


def _shower(kind: str, look: Callable[[], list[Json]]) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        wanted = request.path_params["id"]
        for item in look():
            if item["id"] == wanted:
                return JSONResponse({kind: only_fields(item, request.query_params)})
        raise HTTPException(404, f"{kind.capitalize()} {wanted} could not be found.")

    return show


def _has_addresses(port: Json, wanted: list[str]) -> bool:
    """Whether a port has all that `fixed_ips=ip_address=…` and `fixed_ips=subnet_id=…` ask for."""
    asked = [part.partition("=") for part in wanted]
    return all(any(fixed.get(name) == value for fixed in port.get("fixed_ips", [])) for name, _, value in asked)


async def _versions(request: Request) -> Response:
    """List the one version."""
    href = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}/v2.0/"
    return JSONResponse({"versions": [{"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": href}]}]})


async def _no_extensions(_: Request) -> Response:
    return JSONResponse({"extensions": []})


async def _refuse(_: Request, error: Exception) -> Response:
    """Answer as neutron does."""
    code = error.status_code if isinstance(error, HTTPException) else 500
    message = error.detail if isinstance(error, HTTPException) else "a bug of the local cloud, see its daemon log"
    kind = {404: "NotFound", 405: "HTTPMethodNotAllowed"}.get(code, "HTTPInternalServerError")
    return JSONResponse({"NeutronError": {"type": kind, "message": message, "detail": ""}}, status_code=code)
