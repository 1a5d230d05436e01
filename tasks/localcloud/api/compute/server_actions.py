"""What can be done to a server by `POST /servers/{id}/action`: reboot, stop, start, image, and read its console.

Facts: api-ref, servers-actions; nova/api/openstack/compute/{servers,console_output}.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.action_bodies import ConsoleBody, CreateImageBody, RebootBody
from tasks.localcloud.api.bodies import Requested, read_json
from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.compute.compute_images import create_image
from tasks.localcloud.compute.refusals import BadRequest
from tasks.localcloud.compute.server import RebootType


class ServerActionsApi:
    """`/servers/{id}/action`."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._actions: dict[str, Callable[[Request, Any], Response]] = {
            "reboot": self._reboot,
            "os-stop": self._stop,
            "os-start": self._start,
            "createImage": self._create_image,
            "os-getConsoleOutput": self._console,
        }

    def routes(self) -> list[Route]:
        """Give the route, below the compute endpoint."""
        return [Route("/servers/{id}/action", self.act, methods=["POST"])]

    async def act(self, request: Request) -> Response:
        """Do what the body's one key says."""
        body = await read_json(request)
        if not isinstance(body, dict) or len(body) != 1:
            raise BadRequest("Malformed request body")
        [name] = body
        if name not in self._actions:
            raise BadRequest(f"There is no such action: {name}")
        return self._actions[name](request, body)

    def _reboot(self, request: Request, body: Any) -> Response:
        kind = RebootType(Requested(RebootBody).read(body).reboot.type.upper())
        self._compute.servers.reboot(request.path_params["id"], kind)
        return Response(status_code=202)

    def _stop(self, request: Request, _: Any) -> Response:
        self._compute.servers.stop(request.path_params["id"])
        return Response(status_code=202)

    def _start(self, request: Request, _: Any) -> Response:
        self._compute.servers.start(request.path_params["id"])
        return Response(status_code=202)

    def _create_image(self, request: Request, body: Any) -> Response:
        return create_image(self._compute, request, Requested(CreateImageBody).read(body))

    def _console(self, request: Request, body: Any) -> Response:
        lines = Requested(ConsoleBody).read(body).lines()
        return JSONResponse({"output": self._compute.servers.console(request.path_params["id"], lines)})
