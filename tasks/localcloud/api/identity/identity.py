"""Identity: version documents, and tokens for v2.0 (API key or password) and v3; the rest of it is put together here.

Facts: Identity docs, post-authenticate-as-user-with-password-or-api-key; keystone api-ref, v3, authentication.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from tasks.localcloud.api.authentication import TokenCheck
from tasks.localcloud.api.bodies import Requested, read_json
from tasks.localcloud.api.faults import handlers, keystone_fault, nova_fault, refuse_as_keystone, refuse_as_nova
from tasks.localcloud.api.identity.application_credentials import ApplicationCredentialsApi
from tasks.localcloud.api.identity.identity_accounts import AccountsApi
from tasks.localcloud.api.identity.identity_bodies import V2Auth
from tasks.localcloud.api.identity.identity_login import Login
from tasks.localcloud.api.identity.identity_tokens import TokensApi
from tasks.localcloud.api.identity.identity_v3_bodies import V3Auth
from tasks.localcloud.api.identity.identity_views import IdentityView
from tasks.localcloud.compute.refusals import BadRequest
from tasks.localcloud.identity.application_credentials import ApplicationCredentials
from tasks.localcloud.identity.credentials import Credentials, Proof, Tokens
from tasks.localcloud.options import Face

_V2_REFUSED = "Unable to authenticate user with credentials provided."
_V3_REFUSED = "The request you have made requires authentication."


class IdentityApi:
    """The identity service of one cloud, in one region; OpenStack has no v2.0 any more."""

    def __init__(self, credentials: Credentials, tokens: Tokens, region: str, face: Face = Face.BOTH) -> None:
        self._credentials = credentials
        self._tokens = tokens
        self._application_credentials = ApplicationCredentials()
        self._view = IdentityView(credentials=credentials, region=region, face=face)
        self._face = face

    def application(self) -> Starlette:
        """Give the ASGI application; paths are below its mount point."""
        tokens = TokensApi(self._view, self._tokens, self._application_credentials)
        accounts = AccountsApi(self._view)
        secrets = ApplicationCredentialsApi(self._credentials, self._tokens, self._application_credentials)
        version_2 = [
            Route("/v2.0", self.version_2),
            Route("/v2.0/", self.version_2),
            Route("/v2.0/tokens", self.issue_v2, methods=["POST"]),
            Mount("/v2.0", self._behind_a_token([*tokens.v2_routes(), *accounts.v2_routes()])),
        ]
        routes = [
            Route("/", self.versions),
            *([] if self._face is Face.OPENSTACK else version_2),
            Route("/v3", self.version_3),
            Route("/v3/", self.version_3),
            Route("/v3/auth/tokens", self.issue_v3, methods=["POST"]),
            Mount("/v3", self._behind_a_token([*tokens.v3_routes(), *secrets.routes(), *accounts.v3_routes()])),
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
        token = self._tokens.issue(Proof(methods=(auth.method(),)))
        return JSONResponse({"access": self._view.access(token, self._view.catalog(request))})

    async def issue_v3(self, request: Request) -> Response:
        """Give a token for a password, an application credential or another token, scoped to the project."""
        auth = Requested(V3Auth).read(await read_json(request)).auth
        kept = self._application_credentials
        login = Login(credentials=self._credentials, application_credentials=kept, tokens=self._tokens)
        proof = login.proof(auth)
        if proof is None:
            return keystone_fault(401, _V3_REFUSED)
        token = self._tokens.issue(proof)
        catalog = None if "nocatalog" in request.query_params else self._view.catalog(request)
        body = {"token": self._view.token(token, kept.get(proof.application_credential or ""), catalog)}
        return JSONResponse(body, status_code=201, headers={"X-Subject-Token": token.id, "Vary": "X-Auth-Token"})

    def _behind_a_token(self, routes: Sequence[BaseRoute]) -> Starlette:
        middleware = [Middleware(TokenCheck, tokens=self._tokens)]
        return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers(_refuse))


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
