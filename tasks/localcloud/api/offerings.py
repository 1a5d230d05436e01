"""What servers are made of, over HTTP: flavors, and images as compute shows them below 2.36.

Facts: api-ref, flavors, images; rest_api_version_history, 2.36, 2.55, 2.61.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.compute_context import Compute, root_of
from tasks.localcloud.api.microversions import at_least
from tasks.localcloud.api.server_views import whole_second
from tasks.localcloud.flavors import FLAVORS, Flavor, find_flavor
from tasks.localcloud.images import Image
from tasks.localcloud.refusals import NotFound


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


class ComputeImagesApi:
    """`/images` of compute; gone from 2.36 on."""

    def __init__(self, compute: Compute) -> None:
        self._images = compute.images

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        return [
            Route("/images", self.list),
            Route("/images/detail", self.detail),
            Route("/images/{id}", self.show),
        ]

    async def list(self, request: Request) -> Response:
        """List ids and names."""
        _check_not_gone(request)
        return JSONResponse({"images": [_brief_image(request, image) for image in self._images.all()]})

    async def detail(self, request: Request) -> Response:
        """List everything."""
        _check_not_gone(request)
        return JSONResponse({"images": [_image(request, image) for image in self._images.all()]})

    async def show(self, request: Request) -> Response:
        """Show one image."""
        _check_not_gone(request)
        return JSONResponse({"image": _image(request, self._images.find(request.path_params["id"]))})


def _check_not_gone(request: Request) -> None:
    if at_least(request, 36):
        raise NotFound("The resource could not be found.")


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


def _brief_image(request: Request, image: Image) -> dict[str, Any]:
    return {"id": image.id, "name": image.name, "links": _links(request, f"images/{image.id}")}


def _image(request: Request, image: Image) -> dict[str, Any]:
    created = whole_second(image.created)
    return {
        **_brief_image(request, image),
        "status": "ACTIVE",
        "progress": 100,
        "minDisk": 0,
        "minRam": 0,
        "created": created,
        "updated": created,
        "metadata": dict(image.metadata),
        "OS-EXT-IMG-SIZE:size": 0,
    }


def _links(request: Request, path: str) -> list[dict[str, str]]:
    root = root_of(request)
    bookmark = root.removesuffix("/v2.1")
    return [{"rel": "self", "href": f"{root}/{path}"}, {"rel": "bookmark", "href": f"{bookmark}/{path}"}]
