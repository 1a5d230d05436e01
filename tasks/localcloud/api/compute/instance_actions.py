"""What has been done to a server: `/servers/{id}/os-instance-actions`.

Facts: api-ref, servers actions (os-instance-actions); rest_api_version_history, 2.21, 2.51, 2.58, 2.62.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.compute.microversions import at_least
from tasks.localcloud.compute.acts import Record
from tasks.localcloud.compute.refusals import NotFound

_EVENTS = {
    "create": "compute__do_build_and_run_instance",
    "reboot": "compute_reboot_instance",
    "stop": "compute_stop_instance",
    "start": "compute_start_instance",
    "createImage": "compute_snapshot_instance",
    "delete": "compute_terminate_instance",
}


class InstanceActionsApi:
    """The list, and one of them by the id of the request that began it."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        actions = "/servers/{id}/os-instance-actions"
        return [Route(actions, self.list), Route(f"{actions}/{{request_id}}", self.show)]

    async def list(self, request: Request) -> Response:
        """List what has been done, newest first."""
        shown = [self._view(request, record) for record in self._records(request)]
        return JSONResponse({"instanceActions": shown})

    async def show(self, request: Request) -> Response:
        """Show one, from 2.51 on with its events.

        :raises NotFound: no request of this id has done anything to the server.
        """
        request_id = request.path_params["request_id"]
        found = [record for record in self._records(request) if record.request_id == request_id]
        if not found:
            raise NotFound(f"Action for request_id {request_id} on instance {request.path_params['id']} not found")
        shown = self._view(request, found[0])
        if at_least(request, 51):
            shown["events"] = [_event(found[0])]
        return JSONResponse({"instanceAction": shown})

    def _records(self, request: Request) -> Any:
        """Give a server's records; from 2.21 on a deleted server's as well."""
        server_id, servers = request.path_params["id"], self._compute.servers
        known = at_least(request, 21) and server_id in {server.id for server in servers.all()}
        return servers.acts.records(server_id if known else servers.find(server_id).id)

    def _view(self, request: Request, record: Record) -> dict[str, Any]:
        shown = {
            "action": record.name,
            "instance_uuid": request.path_params["id"],
            "request_id": record.request_id,
            "project_id": self._compute.credentials.project,
            "user_id": self._compute.credentials.user_id,
            "start_time": _microseconds(record.started),
            "message": "Error" if record.failed else None,
        }
        updated = {"updated_at": _microseconds(record.finished or record.started)}
        return {**shown, **updated} if at_least(request, 58) else shown


def _event(record: Record) -> dict[str, Any]:
    result = "Error" if record.failed else "Success"
    return {
        "event": _EVENTS[record.name],
        "start_time": _microseconds(record.started),
        "finish_time": _microseconds(record.finished) if record.finished else None,
        "result": result if record.finished else None,
    }


def _microseconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
