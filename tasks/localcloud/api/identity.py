"""Identity: version documents, v2.0 tokens (API key or password) and v3 tokens (password).

Facts: Identity docs, post-authenticate-as-user-with-password-or-api-key; keystone api-ref, v3 password authentication.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, request_response

from tasks.localcloud.api.authentication import TokenCheck
from tasks.localcloud.api.bodies import Requested, read_json
from tasks.localcloud.api.catalog import Catalog
from tasks.localcloud.api.faults import handlers, keystone_fault, nova_fault, refuse_as_keystone, refuse_as_nova
from tasks.localcloud.api.identity_bodies import V2Auth, V3Auth
from tasks.localcloud.credentials import Credentials, Token, Tokens
from tasks.localcloud.options import Face
from tasks.localcloud.refusals import BadRequest

_V2_REFUSED = "Unable to authenticate user with credentials provided."
_V3_REFUSED = "The request you have made requires authentication."


class IdentityApi:
    """The identity service of one cloud, in one region; OpenStack has no v2.0 any more."""

    def __init__(self, credentials: Credentials, tokens: Tokens, region: str, face: Face = Face.BOTH) -> None:
        self._credentials = credentials
        self._tokens = tokens
        self._region = region
        self._face = face

    def application(self) -> Starlette:
        """Give the ASGI application; paths are below its mount point."""
        version_2 = [
            Route("/v2.0", self.version_2),
            Route("/v2.0/", self.version_2),
            Route("/v2.0/tokens", self.issue_v2, methods=["POST"]),
        ]
        routes = [
            Route("/", self.versions),
            *([] if self._face is Face.OPENSTACK else version_2),
            Route("/v3", self.version_3),
            Route("/v3/", self.version_3),
            Route("/v3/auth/tokens", self.issue_v3, methods=["POST"]),
            Route("/v3/auth/catalog", TokenCheck(request_response(self.catalog_v3), self._tokens)),
        ]
        return Starlette(routes=routes, exception_handlers=handlers(_refuse))

    async def versions(self, request: Request) -> Response:
        """List the versions; 300, as keystone has it."""
        values = [_version(request, "v3.14", "/v3/")]
        if self._face is not Face.OPENSTACK:
            values.append(_version(request, "v2.0", "/v2.0/"))
        return JSONResponse({"versions": {"values": values}}, status_code=300)

    async def version_2(self, request: Request) -> Response:
        """Describe v2.0."""
        return JSONResponse({"version": _version(request, "v2.0", "/v2.0/")})

    async def version_3(self, request: Request) -> Response:
        """Describe v3."""
        return JSONResponse({"version": _version(request, "v3.14", "/v3/")})

    async def issue_v2(self, request: Request) -> Response:
        """Give a token for an API key or a password."""
        auth = Requested(V2Auth).read(await read_json(request)).auth
        if auth.tenantId is not None and auth.tenantName is not None:
            raise BadRequest("Invalid request. Specify tenantId OR tenantName, not both.")
        accepted = auth.accepted_by(self._credentials) and auth.project() in {None, self._credentials.project}
        if not accepted:
            return nova_fault(401, _V2_REFUSED)
        token = self._tokens.issue()
        return JSONResponse({"access": self._access(token, auth.method(), self._catalog(request))})

    async def issue_v3(self, request: Request) -> Response:
        """Give a token for a password, scoped to the project."""
        auth = Requested(V3Auth).read(await read_json(request)).auth
        if not auth.accepted_by(self._credentials):
            return keystone_fault(401, _V3_REFUSED)
        token = self._tokens.issue()
        body = {"token": self._token_v3(token, self._catalog(request))}
        return JSONResponse(body, status_code=201, headers={"X-Subject-Token": token.id, "Vary": "X-Auth-Token"})

    async def catalog_v3(self, request: Request) -> Response:
        """Give the catalog alone."""
        return JSONResponse({"catalog": self._catalog(request).v3()})

    def _catalog(self, request: Request) -> Catalog:
        root = f"{request.url.scheme}://{request.url.netloc}"
        return Catalog(root=root, region=self._region, project=self._credentials.project, face=self._face)

    def _access(self, token: Token, method: str, catalog: Catalog) -> dict[str, Any]:
        project = self._credentials.project
        user = {
            "id": self._credentials.user_id,
            "name": self._credentials.username,
            "roles": [{"id": "1", "name": "member"}],
            "RAX-AUTH:defaultRegion": self._region,
        }
        described = {
            "id": token.id,
            "expires": _milliseconds(token.expires),
            "tenant": {"id": project, "name": project},
            "RAX-AUTH:authenticatedBy": [method],
        }
        return {"token": described, "serviceCatalog": catalog.v2(), "user": user}

    def _token_v3(self, token: Token, catalog: Catalog) -> dict[str, Any]:
        domain = {"id": "default", "name": "Default"}
        project = self._credentials.project
        return {
            "methods": ["password"],
            "user": {"id": self._credentials.user_id, "name": self._credentials.username, "domain": domain},
            "project": {"id": project, "name": project, "domain": domain},
            "is_domain": False,
            "roles": [{"id": "1", "name": "member"}],
            "catalog": catalog.v3(),
            "issued_at": _microseconds(token.issued),
            "expires_at": _microseconds(token.expires),
        }


async def _refuse(request: Request, error: Exception) -> Response:
    """Word a refusal as the version asked for does: Rackspace's v2.0 names its faults as compute does."""
    refuse = refuse_as_nova if "/v2.0" in request.url.path else refuse_as_keystone
    return await refuse(request, error)


def _version(request: Request, version: str, path: str) -> dict[str, Any]:
    root = f"{request.url.scheme}://{request.url.netloc}/identity"
    return {
        "id": version,
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": root + path}],
        "media-types": [{"base": "application/json", "type": f"application/vnd.openstack.identity-{version[:2]}+json"}],
    }


def _milliseconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _microseconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
