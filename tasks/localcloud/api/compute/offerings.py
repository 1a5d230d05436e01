"""What there is to choose from, over HTTP: flavors, and the one availability zone.

Facts: api-ref, flavors, availability zones; rest_api_version_history, 2.55, 2.61, 2.75.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.compute.compute_context import root_of
from tasks.localcloud.api.compute.microversions import at_least
from tasks.localcloud.api.compute.server_views import ZONE
from tasks.localcloud.compute.flavors import FLAVORS, Flavor, find_flavor
from tasks.localcloud.compute.refusals import Forbidden


class FlavorsApi:
    """`/flavors`."""

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        return [
            Route("/flavors", self.list),
            Route("/flavors/detail", self.detail),
            Route("/flavors/{id}", self.show),
            Route("/flavors/{id}/os-extra_specs", self.extra_specs),
        ]

    async def list(self, request: Request) -> Response:
        """List ids and names."""
        return JSONResponse({"flavors": [_brief_flavor(request, flavor) for flavor in FLAVORS.values()]})

    async def detail(self, request: Request) -> Response:
        """List everything."""
        return JSONResponse({"flavors": [_flavor(request, flavor) for flavor in FLAVORS.values()]})

    async def show(self, request: Request) -> Response:
        """Show one flavor."""
        return JSONResponse({"flavor": _flavor(request, find_flavor(request.path_params["id"]))})

    async def extra_specs(self, request: Request) -> Response:
        """Show the extra specs of a flavor: none has any."""
        find_flavor(request.path_params["id"])
        return JSONResponse({"extra_specs": {}})


class ZonesApi:
    """`/os-availability-zone`."""

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        return [Route("/os-availability-zone", self.list), Route("/os-availability-zone/detail", self.detail)]

    async def list(self, _: Request) -> Response:
        """List the one zone; its hosts are not for users to see."""
        zone = {"zoneName": ZONE, "zoneState": {"available": True}, "hosts": None}
        return JSONResponse({"availabilityZoneInfo": [zone]})

    async def detail(self, _: Request) -> Response:
        """Refuse: only administrators see the hosts.

        :raises Forbidden: always.
        """
        raise Forbidden("Policy doesn't allow os_compute_api:os-availability-zone:detail to be performed.")


def _brief_flavor(request: Request, flavor: Flavor) -> dict[str, Any]:
    shown = {"id": flavor.id, "name": flavor.name, "links": _links(request, f"flavors/{flavor.id}")}
    return {**shown, "description": None} if at_least(request, 55) else shown


def _flavor(request: Request, flavor: Flavor) -> dict[str, Any]:
    shown = {
        **_brief_flavor(request, flavor),
        "ram": flavor.ram,
        "vcpus": flavor.vcpus,
        "disk": flavor.disk,
        # An empty string until 2.75, a number since.
        "swap": flavor.swap or (0 if at_least(request, 75) else ""),
        "OS-FLV-DISABLED:disabled": False,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.0,
    }
    return {**shown, "extra_specs": {}} if at_least(request, 61) else shown


def _links(request: Request, path: str) -> list[dict[str, str]]:
    root = root_of(request)
    bookmark = root.removesuffix("/v2.1")
    return [{"rel": "self", "href": f"{root}/{path}"}, {"rel": "bookmark", "href": f"{bookmark}/{path}"}]
