"""Application credentials: secrets that log in for one project, without the user's password. Knows nothing of HTTP."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tasks.localcloud.compute.refusals import Conflict, NotFound


@dataclass(frozen=True, kw_only=True)
class ApplicationCredential:
    """One of them. `unrestricted` says that its tokens may make and delete others; `expires` None is never."""

    id: str
    name: str
    digest: bytes = field(repr=False)
    description: str = ""
    expires: datetime | None = None
    unrestricted: bool = False

    def accepts(self, secret: str, now: datetime) -> bool:
        """Say whether this is its secret, and it has not expired."""
        same = secrets.compare_digest(_digest(secret), self.digest)
        return same and (self.expires is None or now < self.expires)


class ApplicationCredentials:
    """The application credentials of the user, by id. Secrets are kept as digests."""

    def __init__(self) -> None:
        self._credentials: dict[str, ApplicationCredential] = {}

    def all(self) -> list[ApplicationCredential]:
        """Give all of them, oldest first."""
        return list(self._credentials.values())

    def add(self, credential: ApplicationCredential) -> None:
        """Keep a new one.

        :raises Conflict: there is one of this name.
        """
        if self.named(credential.name):
            raise Conflict(
                f"Conflict occurred attempting to store application_credential - "
                f"Duplicate entry found with name {credential.name}."
            )
        self._credentials[credential.id] = credential

    def find(self, credential_id: str) -> ApplicationCredential:
        """Give one.

        :raises NotFound: there is none of this id.
        """
        try:
            return self._credentials[credential_id]
        except KeyError:
            raise NotFound(f"Could not find Application Credential: {credential_id}.") from None

    def get(self, credential_id: str) -> ApplicationCredential | None:
        """Give one, None when there is none of this id."""
        return self._credentials.get(credential_id)

    def named(self, name: str) -> ApplicationCredential | None:
        """Give the one of a name, None when there is none."""
        return next((credential for credential in self.all() if credential.name == name), None)

    def remove(self, credential_id: str) -> None:
        """Forget one.

        :raises NotFound: there is none of this id.
        """
        del self._credentials[self.find(credential_id).id]


def new_application_credential(
    name: str, secret: str, *, description: str, expires: datetime | None, unrestricted: bool
) -> ApplicationCredential:
    """Make one that accepts a secret."""
    return ApplicationCredential(
        id=uuid.uuid4().hex,
        name=name,
        digest=_digest(secret),
        description=description,
        expires=expires.astimezone(UTC) if expires else None,
        unrestricted=unrestricted,
    )


def new_secret() -> str:
    """Make a secret that nobody can guess."""
    return secrets.token_urlsafe(48)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
