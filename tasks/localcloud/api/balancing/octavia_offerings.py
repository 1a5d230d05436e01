"""Answers about what the load balancer service offers: versions, quotas, providers, and what there is none of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing.octavia_balancer_bodies import QuotaBody
from tasks.localcloud.api.balancing.octavia_bodies import read
from tasks.localcloud.api.balancing.octavia_context import ACCEPTED, NO_CONTENT, Octavia
from tasks.localcloud.api.balancing.octavia_lists import listing
from tasks.localcloud.balancing.octavia_faults import not_found
from tasks.localcloud.balancing.octavia_model import PROVIDER
from tasks.localcloud.balancing.octavia_quotas import LoadBalancerQuota

NEWEST_MINOR = 26
UPDATED = "2022-08-29T00:00:00Z"  # of v2.26; octavia/api/root_controller.py


async def versions(_octavia: Octavia, request: Request) -> Response:
    """List every minor version, as the service does: v2.11 among them says that batches can be additive."""
    href = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}/v2"
    described = [
        {
            "id": f"v2.{minor}",
            "status": "CURRENT" if minor == NEWEST_MINOR else "SUPPORTED",
            "updated": UPDATED,
            "links": [{"href": href, "rel": "self"}],
        }
        for minor in range(NEWEST_MINOR + 1)
    ]
    return JSONResponse({"versions": described})


async def quotas(octavia: Octavia, request: Request) -> Response:
    """List the quotas that differ from the defaults: the project's, or none."""
    changed = [_quota(octavia)] if octavia.service.quota != LoadBalancerQuota() else []
    return JSONResponse(listing(request, "quotas", changed))


async def default_quotas(_octavia: Octavia, _request: Request) -> Response:
    """Show the limits of who was given none."""
    return JSONResponse({"quota": shown(LoadBalancerQuota())})


async def show_quota(octavia: Octavia, request: Request) -> Response:
    """Show the project's limits."""
    _check_project(octavia, request)
    return JSONResponse({"quota": shown(octavia.service.quota)})


async def set_quota(octavia: Octavia, request: Request) -> Response:
    """Change the project's limits; null is the default. The service lets only administrators do so."""
    _check_project(octavia, request)
    given = (await read(request, "quota", QuotaBody)).model_dump(exclude_unset=True)
    defaults = asdict(LoadBalancerQuota())
    wanted = {name: defaults[name] if limit is None else limit for name, limit in given.items()}
    octavia.service.quota = replace(octavia.service.quota, **wanted)
    return JSONResponse({"quota": shown(octavia.service.quota)}, ACCEPTED)


async def reset_quota(octavia: Octavia, request: Request) -> Response:
    """Go back to the default limits."""
    _check_project(octavia, request)
    octavia.service.quota = LoadBalancerQuota()
    return Response(status_code=NO_CONTENT)


async def providers(_octavia: Octavia, request: Request) -> Response:
    """List the one provider."""
    known = [{"name": PROVIDER, "description": "Envoy on this machine, under the name that clients expect."}]
    return JSONResponse(listing(request, "providers", known))


def none_of(root: str) -> Callable[[Octavia, Request], Awaitable[Response]]:
    """Make the answer to a list of what this cloud has none of."""

    async def nothing(_octavia: Octavia, request: Request) -> Response:
        return JSONResponse(listing(request, root, []))

    return nothing


def shown(quota: LoadBalancerQuota) -> dict[str, Any]:
    """Show limits; two of them also under the names that were misspelled before (types/quotas.py, QuotaResponse)."""
    return {**asdict(quota), "load_balancer": quota.loadbalancer, "health_monitor": quota.healthmonitor}


def _quota(octavia: Octavia) -> dict[str, Any]:
    return {**shown(octavia.service.quota), "project_id": octavia.project}


def _check_project(octavia: Octavia, request: Request) -> None:
    if request.path_params["project_id"] != octavia.project:
        raise not_found("Quota", request.path_params["project_id"])
