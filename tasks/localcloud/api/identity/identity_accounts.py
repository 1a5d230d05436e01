"""The user, its project and domain, and the region, as clients look them up. What only administrators see is refused.

Facts: keystone api-ref, v3, projects, users, domains, regions; keystone's default policies; Identity docs, tenants.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.identity.identity_views import DOMAIN, ROLE, IdentityView
from tasks.localcloud.compute.refusals import Forbidden, NotFound

_ADMINISTRATORS = ("users", "projects", "domains", "services", "endpoints", "roles", "groups", "role_assignments")


class AccountsApi:
    """What there is in identity besides tokens and secrets."""

    def __init__(self, view: IdentityView) -> None:
        self._view = view
        self._user = view.credentials.user_id
        self._project = view.credentials.project

    def v3_routes(self) -> list[Route]:
        """Give the routes below /v3."""
        return [
            Route("/auth/projects", self.projects),
            Route("/auth/domains", self.domains),
            Route("/auth/catalog", self.catalog),
            Route("/users/{id}", self.user),
            Route("/users/{id}/projects", self.projects_of),
            Route("/projects/{id}", self.project),
            Route("/domains/{id}", self.domain),
            Route("/regions", self.regions),
            Route("/regions/{id}", self.region),
            *(Route(f"/{name}", self.refuse) for name in _ADMINISTRATORS),
        ]

    def v2_routes(self) -> list[Route]:
        """Give the routes below /v2.0."""
        return [Route("/tenants", self.tenants)]

    async def projects(self, request: Request) -> Response:
        """List the projects that a token can be had for: one."""
        return _list(request, "projects", self._shown_project(request))

    async def domains(self, request: Request) -> Response:
        """List the domains that a token can be had for: none."""
        return _list(request, "domains")

    async def catalog(self, request: Request) -> Response:
        """Give the catalog alone."""
        catalog = self._view.catalog(request).v3()
        return JSONResponse({"catalog": catalog, "links": {"self": str(request.url), "next": None, "previous": None}})

    async def user(self, request: Request) -> Response:
        """Show the user; others are not theirs to see."""
        self._check_own_user(request)
        user = {
            "id": self._user,
            "name": self._view.credentials.username,
            "domain_id": DOMAIN["id"],
            "default_project_id": self._project,
            "enabled": True,
            "password_expires_at": None,
            "options": {},
            "links": {"self": str(request.url)},
        }
        return JSONResponse({"user": user})

    async def projects_of(self, request: Request) -> Response:
        """List the user's projects: one."""
        self._check_own_user(request)
        return _list(request, "projects", self._shown_project(request))

    async def project(self, request: Request) -> Response:
        """Show the user's project; others are not theirs to see."""
        if request.path_params["id"] != self._project:
            raise Forbidden("You are not authorized to perform the requested action: identity:get_project.")
        return JSONResponse({"project": self._shown_project(request)})

    async def domain(self, request: Request) -> Response:
        """Show the one domain."""
        if request.path_params["id"] != DOMAIN["id"]:
            raise Forbidden("You are not authorized to perform the requested action: identity:get_domain.")
        more = {"description": "The default domain", "enabled": True, "links": {"self": str(request.url)}}
        return JSONResponse({"domain": {**DOMAIN, **more}})

    async def regions(self, request: Request) -> Response:
        """List the one region."""
        return _list(request, "regions", self._shown_region(request))

    async def region(self, request: Request) -> Response:
        """Show the one region."""
        region_id = request.path_params["id"]
        if region_id != self._view.region:
            raise NotFound(f"Could not find region: {region_id}.")
        return JSONResponse({"region": self._shown_region(request)})

    async def refuse(self, request: Request) -> Response:
        """Refuse a list of what belongs to more than one project.

        :raises Forbidden: always.
        """
        action = f"identity:list_{request.url.path.rpartition('/')[2]}"
        raise Forbidden(f"You are not authorized to perform the requested action: {action}.")

    async def tenants(self, _: Request) -> Response:
        """List the project as v2.0 does."""
        tenant = {"id": self._project, "name": self._project, "enabled": True}
        return JSONResponse({"tenants": [tenant], "tenants_links": []})

    def _check_own_user(self, request: Request) -> None:
        if request.path_params["id"] != self._user:
            raise Forbidden("You are not authorized to perform the requested action: identity:get_user.")

    def _shown_project(self, request: Request) -> dict[str, Any]:
        return {
            "id": self._project,
            "name": self._project,
            "domain_id": DOMAIN["id"],
            "parent_id": DOMAIN["id"],
            "description": "",
            "enabled": True,
            "is_domain": False,
            "tags": [],
            "options": {},
            "links": {"self": f"{_root(request)}/projects/{self._project}"},
        }

    def _shown_region(self, request: Request) -> dict[str, Any]:
        region = self._view.region
        links = {"self": f"{_root(request)}/regions/{region}"}
        return {"id": region, "description": "", "parent_region_id": None, "links": links}


def shown_role() -> dict[str, Any]:
    """Show the one role that everybody has."""
    return {**ROLE, "domain_id": None, "description": None, "options": {}}


def _list(request: Request, name: str, *items: dict[str, Any]) -> Response:
    links = {"self": str(request.url), "next": None, "previous": None}
    return JSONResponse({name: list(items), "links": links})


def _root(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/identity/v3"
