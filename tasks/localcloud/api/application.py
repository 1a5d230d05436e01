"""The one application that serves every API: composition, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from tasks.localcloud.api.authentication import TokenCheck, refuse_without_body
from tasks.localcloud.api.bad_answers import BadAnswers
from tasks.localcloud.api.balancing.octavia import octavia_application
from tasks.localcloud.api.balancing.octavia_context import Octavia
from tasks.localcloud.api.compute.compute import compute_application
from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.compute.images import ImagesApi
from tasks.localcloud.api.connections import Connections
from tasks.localcloud.api.control import ControlApi
from tasks.localcloud.api.faults import handlers, refuse_as_balancers
from tasks.localcloud.api.hold_points import HoldPoints
from tasks.localcloud.api.identity.identity import IdentityApi
from tasks.localcloud.api.network import Networking, network_application
from tasks.localcloud.api.request_log import RequestLog
from tasks.localcloud.balancing.octavia_service import OctaviaService
from tasks.localcloud.faults.bad_days import BadDays
from tasks.localcloud.identity.credentials import Tokens
from tasks.localcloud.options import Face


@dataclass(frozen=True, kw_only=True)
class Services:
    """What is served: compute (and its images), the routes of the load balancers below their project, Octavia.

    `face` decides which of them there are; without `octavia` there is no network service either. Requests may be held,
    and their `connections` closed.
    """

    region: str
    tokens: Tokens
    compute: Compute
    balancer_routes: Sequence[BaseRoute] = ()
    octavia: OctaviaService | None = None
    face: Face = Face.BOTH
    bad_days: BadDays = field(default_factory=BadDays)
    connections: Connections = field(default_factory=Connections)


def application(services: Services, api_log: TextIO) -> Starlette:
    """Put every service under its path; each request is one line in `api_log`."""
    tokens = services.tokens
    identity = IdentityApi(services.compute.credentials, tokens, services.region, services.face)
    served = [
        Mount("/identity", identity.application()),
        Mount("/compute", compute_application(services.compute, tokens)),
        Mount("/image", ImagesApi(services.compute).application(tokens)),
        Mount("/control", ControlApi(services.bad_days).application()),
    ]
    if services.face is not Face.OPENSTACK:
        served.append(_cloud_load_balancers(services))
    if services.face is not Face.RACKSPACE and services.octavia:
        served += _octavia_and_its_network(services, services.octavia)
    bad_days, connections = services.bad_days, services.connections
    middleware = [
        Middleware(RequestLog, log=api_log),
        Middleware(HoldPoints, holds=bad_days.holds, connections=connections),
        Middleware(BadAnswers, faults=bad_days.faults, face=services.face, connections=connections),
    ]
    return Starlette(routes=served, middleware=middleware)


def _cloud_load_balancers(services: Services) -> Mount:
    project = services.compute.credentials.project
    # Another project's path is unknown here, which is the service's answer to who has no business there (CLB docs).
    balancers = Starlette(
        routes=[Mount(f"/v1.0/{project}", routes=services.balancer_routes)],
        middleware=[Middleware(TokenCheck, tokens=services.tokens, refuse=refuse_without_body)],
        exception_handlers=handlers(refuse_as_balancers),
    )
    return Mount("/clb", balancers)


def _octavia_and_its_network(services: Services, balancers: OctaviaService) -> list[Mount]:
    project = services.compute.credentials.project
    octavia = Octavia(service=balancers, project=project)
    networking = Networking(project=project, servers=services.compute.servers, balancers=balancers)
    return [
        Mount("/load-balancer", octavia_application(octavia, services.tokens)),
        Mount("/network", network_application(networking, services.tokens)),
    ]
