"""What identity says of a token, its user and its project, in the shapes of v2.0 and v3.

Facts: Identity docs, authenticate; keystone api-ref, v3, authentication, validate token.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from tasks.localcloud.api.identity.catalog import Catalog
from tasks.localcloud.identity.application_credentials import ApplicationCredential
from tasks.localcloud.identity.credentials import Credentials, Token
from tasks.localcloud.options import Face

DOMAIN = {"id": "default", "name": "Default"}
ROLE = {"id": "1", "name": "member"}
_V2_METHODS = {"api_key": "APIKEY", "password": "PASSWORD"}


@dataclass(frozen=True, kw_only=True)
class IdentityView:
    """Shows the one user in the one region."""

    credentials: Credentials
    region: str
    face: Face = Face.BOTH

    def catalog(self, request: Request) -> Catalog:
        """Give the catalog for whoever has sent a request."""
        root = f"{request.url.scheme}://{request.url.netloc}"
        return Catalog(root=root, region=self.region, project=self.credentials.project, face=self.face)

    def access(self, token: Token, catalog: Catalog | None) -> dict[str, Any]:
        """Give `access` of v2.0; without a catalog it is what the validation of a token answers."""
        project = self.credentials.project
        user = {
            "id": self.credentials.user_id,
            "name": self.credentials.username,
            "roles": [ROLE],
            "RAX-AUTH:defaultRegion": self.region,
        }
        described = {
            "id": token.id,
            "expires": milliseconds(token.expires),
            "tenant": {"id": project, "name": project},
            "RAX-AUTH:authenticatedBy": [_V2_METHODS.get(token.proof.methods[-1], "PASSWORD")],
        }
        return {"token": described, "user": user, **({"serviceCatalog": catalog.v2()} if catalog else {})}

    def token(self, token: Token, used: ApplicationCredential | None, catalog: Catalog | None) -> dict[str, Any]:
        """Give `token` of v3; an application credential that was `used` for it is named."""
        project = self.credentials.project
        shown: dict[str, Any] = {
            "methods": list(token.proof.methods),
            "user": {
                "id": self.credentials.user_id,
                "name": self.credentials.username,
                "domain": DOMAIN,
                "password_expires_at": None,
            },
            "project": {"id": project, "name": project, "domain": DOMAIN},
            "is_domain": False,
            "roles": [ROLE],
            "audit_ids": [token.audit_id],
            "issued_at": microseconds(token.issued),
            "expires_at": microseconds(token.expires),
        }
        if used:
            shown["application_credential"] = {
                "id": used.id,
                "name": used.name,
                "restricted": not used.unrestricted,
            }
        return {**shown, **({"catalog": catalog.v3()} if catalog else {})}


def milliseconds(moment: datetime) -> str:
    """Write a time as v2.0 does."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def microseconds(moment: datetime) -> str:
    """Write a time as v3 does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
