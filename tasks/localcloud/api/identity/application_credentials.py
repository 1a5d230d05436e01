"""Application credentials over HTTP: create, list, show, delete.

Facts: keystone api-ref, v3, application credentials; keystone/api/users.py.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.bodies import Requested, read_json
from tasks.localcloud.api.identity.identity_accounts import shown_role
from tasks.localcloud.api.identity.identity_v3_bodies import CreateApplicationCredential, NewApplicationCredential
from tasks.localcloud.api.identity.identity_views import ROLE
from tasks.localcloud.compute.refusals import BadRequest, Forbidden
from tasks.localcloud.identity.application_credentials import (
    ApplicationCredential,
    ApplicationCredentials,
    new_application_credential,
    new_secret,
)
from tasks.localcloud.identity.credentials import Credentials, Tokens


class ApplicationCredentialsApi:
    """`/v3/users/{user}/application_credentials`."""

    def __init__(self, credentials: Credentials, tokens: Tokens, kept: ApplicationCredentials) -> None:
        self._credentials = credentials
        self._tokens = tokens
        self._kept = kept

    def routes(self) -> list[Route]:
        """Give the routes below /v3."""
        every, one = "/users/{user}/application_credentials", "/users/{user}/application_credentials/{id}"
        return [
            Route(every, self.list, methods=["GET"]),
            Route(every, self.create, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """List them; `name` filters. Secrets are not among what is shown."""
        self._check_own(request)
        name = request.query_params.get("name")
        shown = [_view(request, kept, self._credentials) for kept in self._kept.all() if name in {None, kept.name}]
        links = {"self": str(request.url), "next": None, "previous": None}
        return JSONResponse({"application_credentials": shown, "links": links})

    async def create(self, request: Request) -> Response:
        """Make one, 201; the answer is the only place that ever shows its secret."""
        self._check_own(request)
        self._check_may_change(request)
        wanted = Requested(CreateApplicationCredential).read(await read_json(request)).application_credential
        self._check(wanted)
        secret = wanted.secret.get_secret_value() if wanted.secret else new_secret()
        made = new_application_credential(
            wanted.name,
            secret,
            description=wanted.description or "",
            expires=wanted.expires_at,
            unrestricted=bool(wanted.unrestricted),
        )
        self._kept.add(made)
        shown = {**_view(request, made, self._credentials), "secret": secret}
        return JSONResponse({"application_credential": shown}, status_code=201)

    async def show(self, request: Request) -> Response:
        """Show one, without its secret."""
        self._check_own(request)
        found = self._kept.find(request.path_params["id"])
        return JSONResponse({"application_credential": _view(request, found, self._credentials)})

    async def delete(self, request: Request) -> Response:
        """Forget one, 204; the tokens that it was used for are worth nothing any more."""
        self._check_own(request)
        self._check_may_change(request)
        self._kept.remove(request.path_params["id"])
        self._tokens.revoke_all_of(request.path_params["id"])
        return Response(status_code=204)

    def _check_own(self, request: Request) -> None:
        if request.path_params["user"] != self._credentials.user_id:
            raise Forbidden("You are not authorized to perform the requested action: application_credential.")

    def _check_may_change(self, request: Request) -> None:
        """Refuse who has logged in by an application credential that is restricted, as they all are unless asked."""
        token = self._tokens.find(request.headers["X-Auth-Token"])
        used = self._kept.get(token.proof.application_credential or "") if token else None
        if used and not used.unrestricted:
            raise Forbidden(
                "You are not authorized to perform the requested action: Using method 'application_credential' is not "
                "allowed for managing additional application credentials."
            )

    def _check(self, wanted: NewApplicationCredential) -> None:
        if wanted.expires_at and wanted.expires_at <= self._tokens.now():
            raise BadRequest("Token expiration date is in the past: expires_at has to be later than now.")
        for role in wanted.roles or []:
            if role.get("id", ROLE["id"]) != ROLE["id"] or role.get("name", ROLE["name"]) != ROLE["name"]:
                raise BadRequest(f"Could not find role: {role.get('id') or role.get('name')}.")
        if wanted.project_id not in {None, self._credentials.project}:
            raise BadRequest("An application credential is for the project of the token that makes it.")


def _view(request: Request, shown: ApplicationCredential, credentials: Credentials) -> dict[str, Any]:
    expires = shown.expires
    path = f"/identity/v3/users/{credentials.user_id}/application_credentials/{shown.id}"
    return {
        "id": shown.id,
        "name": shown.name,
        "description": shown.description,
        "user_id": credentials.user_id,
        "project_id": credentials.project,
        "system": None,
        "roles": [shown_role()],
        "expires_at": expires.isoformat(timespec="microseconds").replace("+00:00", "") if expires else None,
        "unrestricted": shown.unrestricted,
        "links": {"self": f"{request.url.scheme}://{request.url.netloc}{path}"},
    }
