"""Who may use the cloud: one user in one project, and the tokens given to it. Knows nothing of HTTP.

Secrets are compared in constant time and never shown by `repr`.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
class Proof:
    """How somebody has shown who they are, in keystone's names of methods.

    `application_credential` is the id of the one that was used, and `until` the latest that a token for it may last.
    """

    methods: tuple[str, ...] = ("password",)
    application_credential: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Token:
    """Proof that its bearer has shown its credentials, until `expires`. `audit_id` names it in public."""

    id: str = field(repr=False)
    audit_id: str
    issued: datetime
    expires: datetime
    proof: Proof


class Tokens:
    """The tokens given out. They are kept as digests, so finding one leaks nothing about the others by its timing."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self._tokens: dict[bytes, Token] = {}

    def issue(self, proof: Proof | None = None) -> Token:
        """Give out a token that is good for 24 hours, or as long as its proof is."""
        now, proof = self.now(), proof or Proof()
        self._tokens = {digest: token for digest, token in self._tokens.items() if token.expires > now}
        expires = min(now + TOKEN_LIFE, proof.until or now + TOKEN_LIFE)
        audit_id, token_id = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        token = Token(id=token_id, audit_id=audit_id, issued=now, expires=expires, proof=proof)
        self._tokens[_digest(token_id)] = replace(token, id="")
        return token

    def accept(self, token_id: str) -> bool:
        """Say whether this is a token of ours that has not expired."""
        return self.find(token_id) is not None

    def find(self, token_id: str) -> Token | None:
        """Give what is known of a token of ours that has not expired."""
        token = self._tokens.get(_digest(token_id))
        return replace(token, id=token_id) if token and self.now() < token.expires else None

    def revoke(self, token_id: str) -> None:
        """Accept a token no more."""
        self._tokens.pop(_digest(token_id), None)

    def revoke_all_of(self, application_credential: str) -> None:
        """Accept no token any more that an application credential was used for."""
        self._tokens = {
            digest: token
            for digest, token in self._tokens.items()
            if token.proof.application_credential != application_credential
        }


def _digest(token_id: str) -> bytes:
    return hashlib.sha256(token_id.encode()).digest()
