"""Tags of servers over HTTP. Facts: api-ref, server tags; rest_api_version_history, 2.26."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.bodies import Body, Requested, read_json
from tasks.localcloud.api.compute.compute_context import Compute, root_of
from tasks.localcloud.api.compute.microversions import at_least
from tasks.localcloud.api.compute.server_bodies import TAG_LIMIT, Tag
from tasks.localcloud.compute.refusals import BadRequest, NotFound
from tasks.localcloud.compute.server import Server


class _Tags(Body):
    tags: Annotated[list[Tag], Field(max_length=TAG_LIMIT)]


class _OneTag(Body):
    tag: Tag


class ServerTagsApi:
    """`/servers/{id}/tags`, from 2.26 on."""

    def __init__(self, compute: Compute) -> None:
        self._servers = compute.servers

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        tags, tag = "/servers/{id}/tags", "/servers/{id}/tags/{tag}"
        return [
            Route(tags, self.list, methods=["GET"]),
            Route(tags, self.replace, methods=["PUT"]),
            Route(tags, self.clear, methods=["DELETE"]),
            Route(tag, self.show, methods=["GET"]),
            Route(tag, self.add, methods=["PUT"]),
            Route(tag, self.delete, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """Show all tags."""
        return JSONResponse({"tags": list(self._server(request).request.tags)})

    async def replace(self, request: Request) -> Response:
        """Have these tags and no others."""
        wanted = Requested(_Tags).read(await read_json(request)).tags
        return JSONResponse({"tags": list(self._write(request, wanted).request.tags)})

    async def clear(self, request: Request) -> Response:
        """Have no tags, 204."""
        self._write(request, [])
        return Response(status_code=204)

    async def show(self, request: Request) -> Response:
        """Say whether there is a tag: 204 or 404."""
        self._tag(request)
        return Response(status_code=204)

    async def add(self, request: Request) -> Response:
        """Add a tag: 201, or 204 when it is there already."""
        tag, tags = Requested(_OneTag).read({"tag": request.path_params["tag"]}).tag, self._server(request).request.tags
        if tag in tags:
            return Response(status_code=204)
        if len(tags) >= TAG_LIMIT:
            raise BadRequest(f"The number of tags exceeded the per-server limit {TAG_LIMIT}")
        server = self._write(request, [*tags, tag])
        return Response(status_code=201, headers={"Location": f"{root_of(request)}/servers/{server.id}/tags/{tag}"})

    async def delete(self, request: Request) -> Response:
        """Remove a tag, 204."""
        tag = self._tag(request)
        self._write(request, [kept for kept in self._server(request).request.tags if kept != tag])
        return Response(status_code=204)

    def _server(self, request: Request) -> Server:
        if not at_least(request, 26):
            raise NotFound("The resource could not be found.")
        return self._servers.find(request.path_params["id"])

    def _tag(self, request: Request) -> str:
        server, tag = self._server(request), str(request.path_params["tag"])
        if tag not in server.request.tags:
            raise NotFound(f"Server {server.id} has no tag '{tag}'")
        return tag

    def _write(self, request: Request, tags: Iterable[str]) -> Server:
        server = self._server(request)
        server.check_tags_change()
        return self._servers.change(server.id, request=replace(server.request, tags=tuple(dict.fromkeys(tags))))
