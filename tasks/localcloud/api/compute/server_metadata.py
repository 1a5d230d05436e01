"""Metadata of servers over HTTP: all of it, and item by item.

Facts: api-ref, server metadata; nova/api/openstack/compute/server_metadata.py.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.bodies import Requested, read_json
from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.compute.server_accidents import write_metadata
from tasks.localcloud.api.compute.server_bodies import MetadataBody, MetadataItemBody
from tasks.localcloud.compute.refusals import BadRequest, NotFound
from tasks.localcloud.compute.server import Server


class ServerMetadataApi:
    """`/servers/{id}/metadata`."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        items, item = "/servers/{id}/metadata", "/servers/{id}/metadata/{key}"
        return [
            Route(items, self.list, methods=["GET"]),
            Route(items, self.merge, methods=["POST"]),
            Route(items, self.replace, methods=["PUT"]),
            Route(item, self.show, methods=["GET"]),
            Route(item, self.set, methods=["PUT"]),
            Route(item, self.delete, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """Show all items."""
        return JSONResponse({"metadata": dict(self._server(request).metadata)})

    async def merge(self, request: Request) -> Response:
        """Set the items given and leave the others."""
        given = Requested(MetadataBody).read(await read_json(request)).metadata
        return self._write(request, {**self._server(request).metadata, **given})

    async def replace(self, request: Request) -> Response:
        """Set the items given and drop the others."""
        return self._write(request, Requested(MetadataBody).read(await read_json(request)).metadata)

    async def show(self, request: Request) -> Response:
        """Show one item."""
        key = self._existing_key(request)
        return JSONResponse({"meta": {key: self._server(request).metadata[key]}})

    async def set(self, request: Request) -> Response:
        """Set one item."""
        meta = Requested(MetadataItemBody).read(await read_json(request)).meta
        if list(meta) != [request.path_params["key"]]:
            raise BadRequest("Request body and URI mismatch")
        server = self._server(request)
        write_metadata(self._compute, server.id, {**server.metadata, **meta}, "update metadata")
        return JSONResponse({"meta": meta})

    async def delete(self, request: Request) -> Response:
        """Drop one item, 204."""
        key = self._existing_key(request)
        server = self._server(request)
        kept = {name: value for name, value in server.metadata.items() if name != key}
        write_metadata(self._compute, server.id, kept, "delete metadata")
        return Response(status_code=204)

    def _write(self, request: Request, metadata: dict[str, str]) -> Response:
        server = write_metadata(self._compute, request.path_params["id"], metadata, "update metadata")
        return JSONResponse({"metadata": dict(server.metadata)})

    def _server(self, request: Request) -> Server:
        return self._compute.servers.find(request.path_params["id"])

    def _existing_key(self, request: Request) -> str:
        key: str = request.path_params["key"]
        if key not in self._server(request).metadata:
            raise NotFound("Metadata item was not found")
        return key
