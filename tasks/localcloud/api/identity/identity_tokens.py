"""Tokens that were given out: validated and revoked, in v2.0 and v3. Giving them out is `identity.py`.

Facts: keystone api-ref, v3, validate and show information for token, check token, revoke token; Identity docs, tokens.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.identity.identity_views import IdentityView
from tasks.localcloud.compute.refusals import NotFound
from tasks.localcloud.identity.application_credentials import ApplicationCredentials
from tasks.localcloud.identity.credentials import Token, Tokens


class TokensApi:
    """`/v3/auth/tokens` and `/v2.0/tokens/{id}`; whoever asks has shown a token of their own."""

    def __init__(self, view: IdentityView, tokens: Tokens, application_credentials: ApplicationCredentials) -> None:
        self._view = view
        self._tokens = tokens
        self._application_credentials = application_credentials

    def v3_routes(self) -> list[Route]:
        """Give the routes below /v3."""
        return [
            Route("/auth/tokens", self.validate, methods=["GET"]),
            Route("/auth/tokens", self.revoke, methods=["DELETE"]),
        ]

    def v2_routes(self) -> list[Route]:
        """Give the routes below /v2.0."""
        return [
            Route("/tokens/{id}", self.validate_v2, methods=["GET"]),
            Route("/tokens/{id}", self.revoke_v2, methods=["DELETE"]),
            Route("/tokens/{id}/endpoints", self.endpoints_v2, methods=["GET"]),
        ]

    async def validate(self, request: Request) -> Response:
        """Say what a token is worth; with `nocatalog` without the catalog. HEAD says only whether."""
        token = self._find(request.headers.get("X-Subject-Token", ""))
        catalog = None if "nocatalog" in request.query_params else self._view.catalog(request)
        used = self._application_credentials.get(token.proof.application_credential or "")
        body = {"token": self._view.token(token, used, catalog)}
        return JSONResponse(body, headers={"X-Subject-Token": token.id, "Vary": "X-Auth-Token"})

    async def revoke(self, request: Request) -> Response:
        """Accept a token no more, 204."""
        self._tokens.revoke(self._find(request.headers.get("X-Subject-Token", "")).id)
        return Response(status_code=204)

    async def validate_v2(self, request: Request) -> Response:
        """Say what a token is worth."""
        return JSONResponse({"access": self._view.access(self._find(request.path_params["id"]), None)})

    async def revoke_v2(self, request: Request) -> Response:
        """Accept a token no more, 204."""
        self._tokens.revoke(self._find(request.path_params["id"]).id)
        return Response(status_code=204)

    async def endpoints_v2(self, request: Request) -> Response:
        """List the endpoints that a token opens."""
        self._find(request.path_params["id"])
        catalog = self._view.catalog(request).v2()
        found = [
            {"id": number, "name": service["name"], "type": service["type"], **endpoint}
            for number, (service, endpoint) in enumerate(((s, e) for s in catalog for e in s["endpoints"]), start=1)
        ]
        return JSONResponse({"endpoints": found, "endpoints_links": []})

    def _find(self, token_id: str) -> Token:
        token = self._tokens.find(token_id)
        if token is None:
            # The token itself stays out of the message: it may be a good one, mistyped.
            raise NotFound("Could not find token.")
        return token
