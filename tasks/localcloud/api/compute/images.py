"""The image service, v2: list, show, update, tag and delete. Images are made by compute, of servers.

Facts: glance api-ref, v2, images and image tags.
"""

from __future__ import annotations

import json

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from tasks.localcloud.api.authentication import TokenCheck
from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.compute.image_changes import MEDIA_TYPES, check_tags, read_patch
from tasks.localcloud.api.compute.image_queries import page
from tasks.localcloud.api.compute.image_views import service_view
from tasks.localcloud.api.faults import handlers, refuse_as_glance
from tasks.localcloud.compute.images import Image
from tasks.localcloud.compute.refusals import BadRequest, Forbidden, NotFound
from tasks.localcloud.identity.credentials import Tokens


class ImagesApi:
    """The image service of one cloud."""

    def __init__(self, compute: Compute) -> None:
        self._images = compute.images
        self._snapshots = compute.snapshots
        self._project = compute.credentials.project

    def application(self, tokens: Tokens) -> Starlette:
        """Give the ASGI application; paths are below its mount point."""
        routes = [
            Route("/images", self.list, methods=["GET"]),
            Route("/images/{id}", self.show, methods=["GET"]),
            Route("/images/{id}", self.update, methods=["PATCH"]),
            Route("/images/{id}", self.delete, methods=["DELETE"]),
            Route("/images/{id}/tags/{tag}", self.tag, methods=["PUT"]),
            Route("/images/{id}/tags/{tag}", self.untag, methods=["DELETE"]),
            Route("/images/{id}/members", self.members, methods=["GET"]),
        ]
        answers = handlers(refuse_as_glance)
        version_2 = Starlette(
            routes=routes, middleware=[Middleware(TokenCheck, tokens=tokens)], exception_handlers=answers
        )
        versions = [Route(path, _versions) for path in ("/", "/versions", "/v2", "/v2/")]
        return Starlette(routes=[*versions, Mount("/v2", version_2)], exception_handlers=answers)

    async def list(self, request: Request) -> Response:
        """List the images that match, page by page."""
        found = page([service_view(image, self._project) for image in self._images.all()], request.query_params)
        answer = {"images": found.images, "first": "/v2/images", "schema": "/v2/schemas/images"}
        if found.follows:
            answer["next"] = f"/v2/images?{found.follows}"
        return JSONResponse(answer)

    async def show(self, request: Request) -> Response:
        """Show one image."""
        return self._shown(self._images.find(request.path_params["id"]))

    async def update(self, request: Request) -> Response:
        """Change an image by a JSON patch; gives what it is now."""
        if request.headers.get("Content-Type", "") not in MEDIA_TYPES:
            raise HTTPException(415, "Unsupported Content-Type")
        try:
            body = json.loads(await request.body())
        except ValueError as error:
            raise BadRequest("Malformed JSON in request body.") from error
        changed = read_patch(body).apply(self._own(request))
        fields = ("name", "protected", "hidden", "min_disk", "min_ram", "tags", "metadata")
        return self._shown(self._images.change(changed.id, **{field: getattr(changed, field) for field in fields}))

    async def delete(self, request: Request) -> Response:
        """Delete an image, 204."""
        await self._snapshots.delete(self._own(request).id)
        return Response(status_code=204)

    async def tag(self, request: Request) -> Response:
        """Add a tag; once more does no harm."""
        image = self._own(request)
        self._images.change(image.id, tags=check_tags([*image.tags, request.path_params["tag"]]))
        return Response(status_code=204)

    async def untag(self, request: Request) -> Response:
        """Remove a tag.

        :raises NotFound: the image does not have it.
        """
        image, tag = self._own(request), request.path_params["tag"]
        if tag not in image.tags:
            raise NotFound(f"Tag {tag} of image {image.id} could not be found.")
        self._images.change(image.id, tags=tuple(kept for kept in image.tags if kept != tag))
        return Response(status_code=204)

    async def members(self, request: Request) -> Response:
        """List the other projects that an image is shared with: there are none."""
        self._own(request)
        return JSONResponse({"members": [], "schema": "/v2/schemas/members"})

    def _shown(self, image: Image) -> Response:
        return JSONResponse(service_view(image, self._project))

    def _own(self, request: Request) -> Image:
        """Find an image that is the project's to change.

        :raises Forbidden: it is the cloud's.
        """
        image = self._images.find(request.path_params["id"])
        if image.public:
            raise Forbidden(f"You are not permitted to change image {image.id}: it belongs to the cloud.")
        return image


async def _versions(request: Request) -> Response:
    """List the one version; 300, as glance has it, except where /versions is asked for."""
    root = f"{request.url.scheme}://{request.url.netloc}/image/v2/"
    version = {"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": root}]}
    status = 200 if request.url.path.endswith("/versions") else 300
    return JSONResponse({"versions": [version]}, status_code=status)
