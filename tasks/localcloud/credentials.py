"""Who may use the cloud: one user in one project, and the tokens given to it. Knows nothing of HTTP.

Secrets are compared in constant time and never shown by `repr`.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

TOKEN_LIFE = timedelta(hours=24)
"""As Rackspace's (Identity docs, manage-auth-tokens)."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The cloud's one user. The project's name is its id, as Rackspace has it."""

    username: str
    password: str = field(repr=False)
    api_key: str = field(repr=False)
    user_id: str
    project: str

    def accepts_password(self, username: str, password: str) -> bool:
        """Say whether this user has given its password."""
        return _same(username, self.username) & _same(password, self.password)

    def accepts_api_key(self, username: str, api_key: str) -> bool:
        """Say whether this user has given its API key."""
        return _same(username, self.username) & _same(api_key, self.api_key)


def new_credentials() -> Credentials:
    """Make credentials that nobody can guess."""
    return Credentials(
        username="local",
        password=secrets.token_urlsafe(24),
        api_key=secrets.token_hex(16),
        user_id=uuid.uuid4().hex,
        project=str(100_000 + secrets.randbelow(900_000)),
    )


def _same(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode(), wanted.encode())


@dataclass(frozen=True, kw_only=True)
class Token:
    """Proof that its bearer has shown its credentials, until `expires`."""

    id: str = field(repr=False)
    issued: datetime
    expires: datetime


class Tokens:
    """The tokens given out. They are kept as digests, so finding one leaks nothing about the others by its timing."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._expiry: dict[bytes, datetime] = {}

    def issue(self) -> Token:
        """Give out a token that is good for 24 hours."""
        now = self._now()
        self._expiry = {digest: expires for digest, expires in self._expiry.items() if expires > now}
        token = Token(id=secrets.token_urlsafe(32), issued=now, expires=now + TOKEN_LIFE)
        self._expiry[_digest(token.id)] = token.expires
        return token

    def accept(self, token_id: str) -> bool:
        """Say whether this is a token of ours that has not expired."""
        expires = self._expiry.get(_digest(token_id))
        return expires is not None and self._now() < expires


def _digest(token_id: str) -> bytes:
    return hashlib.sha256(token_id.encode()).digest()
