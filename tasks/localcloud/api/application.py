"""The one application that serves every API: composition, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from tasks.localcloud.api.authentication import TokenCheck, refuse_without_body
from tasks.localcloud.api.compute import compute_application
from tasks.localcloud.api.compute_context import Compute
from tasks.localcloud.api.faults import handlers, refuse_as_balancers
from tasks.localcloud.api.identity import IdentityApi
from tasks.localcloud.api.images import ImagesApi
from tasks.localcloud.api.request_log import RequestLog
from tasks.localcloud.credentials import Tokens


@dataclass(frozen=True, kw_only=True)
class Services:
    """What is served: compute (and its images), the routes of the load balancers below their project."""

    region: str
    tokens: Tokens
    compute: Compute
    balancer_routes: Sequence[BaseRoute] = ()


def application(services: Services, api_log: TextIO) -> Starlette:
    """Put every service under its path; each request is one line in `api_log`."""
    tokens = services.tokens
    identity = IdentityApi(services.compute.credentials, tokens, services.region)
    project = services.compute.credentials.project
    # Another project's path is unknown here, which is the service's answer to who has no business there (CLB docs).
    balancers = Starlette(
        routes=[Mount(f"/v1.0/{project}", routes=services.balancer_routes)],
        middleware=[Middleware(TokenCheck, tokens=tokens, refuse=refuse_without_body)],
        exception_handlers=handlers(refuse_as_balancers),
    )
    return Starlette(
        routes=[
            Mount("/identity", identity.application()),
            Mount("/compute", compute_application(services.compute, tokens)),
            Mount("/image", ImagesApi(services.compute).application(tokens)),
            Mount("/clb", balancers),
        ],
        middleware=[Middleware(RequestLog, log=api_log)],
    )
