"""The image service, v2: version documents, list and show. Facts: glance api-ref, v2, images."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from tasks.localcloud.api.authentication import TokenCheck
from tasks.localcloud.api.faults import handlers, refuse_as_glance
from tasks.localcloud.api.server_views import whole_second
from tasks.localcloud.credentials import Tokens
from tasks.localcloud.images import Image, Images


class ImagesApi:
    """The image service of one cloud."""

    def __init__(self, images: Images) -> None:
        self._images = images

    def application(self, tokens: Tokens) -> Starlette:
        """Give the ASGI application; paths are below its mount point."""
        routes = [Route("/images", self.list), Route("/images/{id}", self.show)]
        answers = handlers(refuse_as_glance)
        version_2 = Starlette(
            routes=routes, middleware=[Middleware(TokenCheck, tokens=tokens)], exception_handlers=answers
        )
        versions = [Route(path, _versions) for path in ("/", "/versions", "/v2", "/v2/")]
        return Starlette(routes=[*versions, Mount("/v2", version_2)], exception_handlers=answers)

    async def list(self, request: Request) -> Response:
        """List the images; `name`, `status` and `id` filter."""
        query = request.query_params
        shown = [_view(image) for image in self._images.all()]
        wanted = {name: query[name] for name in ("name", "status", "id") if name in query}
        matching = [image for image in shown if all(image[name] == value for name, value in wanted.items())]
        return JSONResponse({"images": matching, "first": "/v2/images", "schema": "/v2/schemas/images"})

    async def show(self, request: Request) -> Response:
        """Show one image; not wrapped, as glance has it."""
        return JSONResponse(_view(self._images.find(request.path_params["id"])))


async def _versions(request: Request) -> Response:
    """List the one version; 300, as glance has it, except where /versions is asked for."""
    root = f"{request.url.scheme}://{request.url.netloc}/image/v2/"
    version = {"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": root}]}
    status = 200 if request.url.path.endswith("/versions") else 300
    return JSONResponse({"versions": [version]}, status_code=status)


def _view(image: Image) -> dict[str, Any]:
    created = whole_second(image.created)
    return {
        **image.metadata,
        "id": image.id,
        "name": image.name,
        "status": "active",
        "visibility": "public",
        "protected": True,
        "os_hidden": False,
        "container_format": "bare",
        "disk_format": "raw",
        "min_disk": 0,
        "min_ram": 0,
        "size": None,
        "tags": [],
        "created_at": created,
        "updated_at": created,
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }
