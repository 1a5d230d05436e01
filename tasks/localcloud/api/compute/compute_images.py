"""Images as compute shows them below 2.36, and the making of an image of a server in any version.

Facts: api-ref, images, createImage; rest_api_version_history, 2.36, 2.39, 2.45.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.action_bodies import CreateImageBody
from tasks.localcloud.api.compute.compute_context import Compute, root_of
from tasks.localcloud.api.compute.image_views import brief_compute_view, compute_view
from tasks.localcloud.api.compute.microversions import at_least
from tasks.localcloud.compute.images import Image, ImageStatus
from tasks.localcloud.compute.refusals import BadRequest, NotFound


class ComputeImagesApi:
    """`/images` of compute; gone from 2.36 on, its metadata from 2.39 on."""

    def __init__(self, compute: Compute) -> None:
        self._images = compute.images
        self._snapshots = compute.snapshots

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        return [
            Route("/images", self.list, methods=["GET"]),
            Route("/images/detail", self.detail, methods=["GET"]),
            Route("/images/{id}", self.show, methods=["GET"]),
            Route("/images/{id}", self.delete, methods=["DELETE"]),
            Route("/images/{id}/metadata", self.metadata, methods=["GET"]),
        ]

    async def list(self, request: Request) -> Response:
        """List ids and names."""
        images = self._selected(request)
        return JSONResponse({"images": [brief_compute_view(request, image) for image in images]})

    async def detail(self, request: Request) -> Response:
        """List everything."""
        return JSONResponse({"images": [compute_view(request, image) for image in self._selected(request)]})

    async def show(self, request: Request) -> Response:
        """Show one image."""
        return JSONResponse({"image": compute_view(request, self._find(request))})

    async def delete(self, request: Request) -> Response:
        """Delete an image, 204."""
        await self._snapshots.delete(self._find(request).id)
        return Response(status_code=204)

    async def metadata(self, request: Request) -> Response:
        """Show an image's metadata."""
        _check_not_gone(request, 39)
        return JSONResponse({"metadata": dict(self._images.find(request.path_params["id"]).metadata)})

    def _find(self, request: Request) -> Image:
        _check_not_gone(request, 36)
        return self._images.find(request.path_params["id"])

    def _selected(self, request: Request) -> Sequence[Image]:
        """Give the images that `name`, `status` and `server` let through."""
        _check_not_gone(request, 36)
        query, found = request.query_params, self._images.all()
        if name := query.get("name"):
            found = [image for image in found if image.name == name]
        if status := query.get("status"):
            found = [image for image in found if (image.status is ImageStatus.ACTIVE) == (status.upper() == "ACTIVE")]
        if server := query.get("server"):
            server_id = server.rpartition("/")[2]
            found = [image for image in found if image.metadata.get("instance_uuid") == server_id]
        return found


def _check_not_gone(request: Request, minor: int) -> None:
    if at_least(request, minor):
        raise NotFound("The resource could not be found.")


def create_image(compute: Compute, request: Request, body: CreateImageBody) -> Response:
    """Begin to make an image of a server, 202: its id is in Location, from 2.45 on in the body.

    :raises BadRequest: there are too many metadata items.
    :raises Conflict: the server's state does not allow it.
    """
    if len(body.wanted.metadata) > compute.servers.quota.metadata_items:
        raise BadRequest("Image metadata limit exceeded")
    image = compute.snapshots.begin(request.path_params["id"], body.wanted.name, body.wanted.metadata)
    if at_least(request, 45):
        return JSONResponse({"image_id": image.id}, status_code=202)
    return Response(status_code=202, headers={"Location": f"{root_of(request)}/images/{image.id}"})
