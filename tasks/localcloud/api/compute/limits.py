"""How much may be used and how much is: `/limits` and `/os-quota-sets/{project}`.

Facts: api-ref, limits, quota sets; rest_api_version_history, 2.36, 2.39, 2.57.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.compute.microversions import at_least
from tasks.localcloud.compute.refusals import Forbidden

_INJECTION = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")
"""Gone from 2.57 on, with personality."""


class LimitsApi:
    """`/limits` and `/os-quota-sets`."""

    def __init__(self, compute: Compute) -> None:
        self._servers = compute.servers
        self._groups = compute.groups
        self._project = compute.credentials.project

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        return [
            Route("/limits", self.limits),
            Route("/os-quota-sets/{project}", self.quota),
            Route("/os-quota-sets/{project}/defaults", self.quota),
            Route("/os-quota-sets/{project}/detail", self.detail),
        ]

    async def limits(self, request: Request) -> Response:
        """Show absolute limits and use; there are no rate limits."""
        quota = self._servers.quota
        absolute = {
            "maxTotalInstances": quota.instances,
            "maxTotalCores": quota.cores,
            "maxTotalRAMSize": quota.ram,
            "maxTotalKeypairs": quota.key_pairs,
            "maxServerMeta": quota.metadata_items,
            "maxServerGroups": quota.server_groups,
            "maxServerGroupMembers": quota.server_group_members,
            **self._used(),
        }
        if not at_least(request, 39):
            absolute["maxImageMeta"] = quota.metadata_items
        if not at_least(request, 57):
            absolute["maxPersonality"] = quota.injected_files
            absolute["maxPersonalitySize"] = quota.injected_file_content_bytes
        return JSONResponse({"limits": {"rate": [], "absolute": absolute}})

    async def quota(self, request: Request) -> Response:
        """Show the project's quota; others' is not this user's to see."""
        return JSONResponse({"quota_set": {"id": self._own_project(request), **self._quota_set(request)}})

    async def detail(self, request: Request) -> Response:
        """Show the project's quota, and how much of each limit is used."""
        project, used = self._own_project(request), self._used()
        in_use = {
            "instances": used["totalInstancesUsed"],
            "cores": used["totalCoresUsed"],
            "ram": used["totalRAMUsed"],
            "server_groups": used["totalServerGroupsUsed"],
        }
        details = {
            name: {"limit": limit, "in_use": in_use.get(name, 0), "reserved": 0}
            for name, limit in self._quota_set(request).items()
        }
        return JSONResponse({"quota_set": {"id": project, **details}})

    def _own_project(self, request: Request) -> str:
        project = str(request.path_params["project"])
        if project != self._project:
            raise Forbidden("Policy doesn't allow os_compute_api:os-quota-sets:show to be performed.")
        return project

    def _quota_set(self, request: Request) -> dict[str, Any]:
        quota = self._servers.quota
        names = ["instances", "cores", "ram", "key_pairs", "metadata_items", "server_groups", "server_group_members"]
        if not at_least(request, 57):
            names += _INJECTION
        return {name: getattr(quota, name) for name in names}

    def _used(self) -> dict[str, int]:
        flavors = [server.request.flavor for server in self._servers.existing()]
        return {
            "totalInstancesUsed": len(flavors),
            "totalCoresUsed": sum(flavor.vcpus for flavor in flavors),
            "totalRAMUsed": sum(flavor.ram for flavor in flavors),
            "totalServerGroupsUsed": len(self._groups.all()),
        }
