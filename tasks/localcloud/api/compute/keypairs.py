"""Keypairs over HTTP: `/os-keypairs`. Facts: api-ref, keypairs; nova/api/openstack/compute/keypairs.py."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.bodies import Body, Requested, read_json
from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.compute.microversions import at_least
from tasks.localcloud.compute.keypairs import Keypair, generate
from tasks.localcloud.compute.refusals import BadRequest


class _NewKeypair(Body):
    name: str = Field(min_length=1, max_length=255)
    public_key: str | None = None
    type: Literal["ssh", "x509"] = "ssh"
    user_id: str | None = None


class _CreateKeypair(Body):
    keypair: _NewKeypair


class KeypairsApi:
    """`/os-keypairs` and `/os-keypairs/{name}`."""

    def __init__(self, compute: Compute) -> None:
        self._keypairs = compute.keypairs
        self._user_id = compute.credentials.user_id

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        return [
            Route("/os-keypairs", self.list, methods=["GET"]),
            Route("/os-keypairs", self.create, methods=["POST"]),
            Route("/os-keypairs/{name}", self.show, methods=["GET"]),
            Route("/os-keypairs/{name}", self.delete, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """List all keypairs."""
        return JSONResponse({"keypairs": [{"keypair": _view(request, keypair)} for keypair in self._keypairs.all()]})

    async def create(self, request: Request) -> Response:
        """Import a public key, or below 2.92 make a pair when none is given; 201 from 2.2 on, 200 before."""
        wanted = Requested(_CreateKeypair).read(_checked(request, await read_json(request))).keypair
        if wanted.type == "x509":
            raise BadRequest("Keypair data is invalid: the local cloud has no servers that take x509 keys")
        private, public = ("", wanted.public_key) if wanted.public_key else generate(wanted.name)
        keypair = self._keypairs.add(wanted.name, public)
        answer = {**_view(request, keypair), "user_id": self._user_id}
        if private:
            answer["private_key"] = private
        return JSONResponse({"keypair": answer}, status_code=201 if at_least(request, 2) else 200)

    async def show(self, request: Request) -> Response:
        """Show one keypair."""
        keypair = self._keypairs.find(request.path_params["name"])
        more = {"user_id": self._user_id, "id": 1, "deleted": False, "deleted_at": None, "updated_at": None}
        created = keypair.created.strftime("%Y-%m-%dT%H:%M:%S.%f")
        return JSONResponse({"keypair": {**_view(request, keypair), **more, "created_at": created}})

    async def delete(self, request: Request) -> Response:
        """Forget a keypair; 204 from 2.2 on, 202 before."""
        self._keypairs.remove(request.path_params["name"])
        return Response(status_code=204 if at_least(request, 2) else 202)


def _checked(request: Request, body: Any) -> Any:
    """Refuse keys that the microversion does not have, or that it misses."""
    keypair = body.get("keypair") if isinstance(body, dict) else None
    keys = set(keypair) if isinstance(keypair, dict) else set()
    unknown = {key for key, since in {"type": 2, "user_id": 10}.items() if key in keys and not at_least(request, since)}
    if unknown:
        raise BadRequest(f"Additional properties are not allowed ('{min(unknown)}' was unexpected)")
    if keys and at_least(request, 92) and "public_key" not in keys:
        raise BadRequest("Invalid input for field/attribute keypair. 'public_key' is a required property")
    return body


def _view(request: Request, keypair: Keypair) -> dict[str, Any]:
    shown = {"name": keypair.name, "public_key": keypair.public_key, "fingerprint": keypair.fingerprint}
    return {**shown, "type": "ssh"} if at_least(request, 2) else shown
