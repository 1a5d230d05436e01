"""Server groups over HTTP: `/os-server-groups`.

Facts: api-ref, server groups; rest_api_version_history, 2.13, 2.15, 2.64; nova/api/openstack/compute/server_groups.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.bodies import Body, Requested, read_json
from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.compute.microversions import at_least
from tasks.localcloud.api.compute.server_bodies import Whole
from tasks.localcloud.compute.refusals import BadRequest
from tasks.localcloud.compute.server_groups import ServerGroup

_Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^\S(.*\S)?$")]
_Policy = Literal["affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"]


class _Rules(Body):
    max_server_per_host: Whole | None = None


class _NewGroup(Body):
    name: _Name
    policy: _Policy
    rules: _Rules = Field(default_factory=_Rules)


class _OldGroup(Body):
    name: _Name
    policies: Annotated[list[_Policy], Field(min_length=1, max_length=1)]


class _Create(Body):
    server_group: _NewGroup


class _CreateOld(Body):
    server_group: _OldGroup


class ServerGroupsApi:
    """`/os-server-groups` and `/os-server-groups/{id}`."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        return [
            Route("/os-server-groups", self.list, methods=["GET"]),
            Route("/os-server-groups", self.create, methods=["POST"]),
            Route("/os-server-groups/{id}", self.show, methods=["GET"]),
            Route("/os-server-groups/{id}", self.delete, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """List the groups, from `offset` on at most `limit`."""
        groups = self._compute.groups.all()
        start, limit = (_number(request, name, default) for name, default in (("offset", 0), ("limit", 1000)))
        shown = [self._view(request, group) for group in groups[start : start + limit]]
        return JSONResponse({"server_groups": shown})

    async def create(self, request: Request) -> Response:
        """Make a group: a list of one policy up to 2.63, a policy with rules since."""
        wanted = _read(request, await read_json(request))
        if wanted.policy.startswith("soft-") and not at_least(request, 15):
            raise BadRequest(f"Invalid input for field/attribute policies. '{wanted.policy}' is not one of them")
        rules = {name: int(value) for name, value in wanted.rules.model_dump(exclude_none=True).items()}
        if rules and wanted.policy != "anti-affinity":
            raise BadRequest("Only anti-affinity policy supports rules.")
        most = self._compute.servers.quota.server_groups
        group = self._compute.groups.add(wanted.name, wanted.policy, rules, most)
        return JSONResponse({"server_group": self._view(request, group)})

    async def show(self, request: Request) -> Response:
        """Show one group."""
        group = self._compute.groups.find(request.path_params["id"])
        return JSONResponse({"server_group": self._view(request, group)})

    async def delete(self, request: Request) -> Response:
        """Forget a group, 204; its servers stay."""
        self._compute.groups.remove(request.path_params["id"])
        return Response(status_code=204)

    def _view(self, request: Request, group: ServerGroup) -> dict[str, Any]:
        existing = reversed(self._compute.servers.existing())
        members = [server.id for server in existing if server.request.group == group.id]
        shown: dict[str, Any] = {"id": group.id, "name": group.name, "members": members}
        if at_least(request, 13):
            credentials = self._compute.credentials
            shown |= {"project_id": credentials.project, "user_id": credentials.user_id}
        if at_least(request, 64):
            return shown | {"policy": group.policy, "rules": dict(group.rules)}
        return shown | {"policies": [group.policy], "metadata": {}}


def _read(request: Request, body: Any) -> _NewGroup:
    if at_least(request, 64):
        return Requested(_Create).read(body).server_group
    old = Requested(_CreateOld).read(body).server_group
    return _NewGroup(name=old.name, policy=old.policies[0])


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"Invalid input for query parameters {name}. Value: {text}")
    return int(text)
