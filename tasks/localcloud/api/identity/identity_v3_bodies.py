"""The shapes of requests to identity v3: for a token, for an application credential.

Facts: keystone api-ref, v3, authentication, application credentials; keystone/application_credential/schema.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints, model_validator

from tasks.localcloud.api.bodies import Body
from tasks.localcloud.api.identity.identity_bodies import Lenient

Method = Literal["password", "application_credential", "token"]


class _Named(Lenient):
    id: str | None = None
    name: str | None = None


class Domain(_Named):
    """A domain, by id or name; there is only the default one."""

    def is_default(self) -> bool:
        """Say whether it is."""
        return self.id == "default" or (self.id is None and self.name == "Default")


class User(_Named):
    """A user, by id, or by name and domain."""

    domain: Domain | None = None

    def is_called(self, user_id: str, username: str) -> bool:
        """Say whether this means that user."""
        if self.id is not None:
            return self.id == user_id
        return self.name == username and self.domain is not None and self.domain.is_default()


class UserWithPassword(User):
    """A user and its password."""

    password: SecretStr


class _Password(Lenient):
    user: UserWithPassword


class GivenApplicationCredential(_Named):
    """An application credential by id, or by name and user, and its secret."""

    user: User | None = None
    secret: SecretStr


class _GivenToken(Lenient):
    id: SecretStr


class Identity(Lenient):
    """The methods by which somebody shows who they are, and what each needs."""

    methods: list[Method] = Field(min_length=1)
    password: _Password | None = None
    application_credential: GivenApplicationCredential | None = None
    token: _GivenToken | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for method in self.methods:
            if getattr(self, method) is None:
                msg = f"'{method}' is a required property"
                raise ValueError(msg)
        return self


class Project(_Named):
    """A project, by id, or by name and domain."""

    domain: Domain | None = None

    def is_called(self, project: str) -> bool:
        """Say whether this means that project, whose name is its id."""
        if self.id is not None:
            return self.id == project
        return self.name == project and self.domain is not None and self.domain.is_default()


class Scope(Lenient):
    """What a token is to be good for; domains and the system are nobody's here."""

    project: Project | None = None


class Auth(Lenient):
    """Who asks, and for what."""

    identity: Identity
    scope: Scope | None = None


class V3Auth(Lenient):
    """`POST /v3/auth/tokens`."""

    auth: Auth


def _moment(text: Any) -> Any:
    """Read a time without a zone as UTC, as keystone does."""
    if not isinstance(text, str):
        return text
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class NewApplicationCredential(Body):
    """What an application credential shall be; rules of access are not offered."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    secret: Annotated[SecretStr, Field(min_length=1)] | None = None
    description: str | None = None
    expires_at: Annotated[datetime, BeforeValidator(_moment)] | None = None
    unrestricted: bool | None = None
    roles: list[dict[str, Any]] | None = None
    project_id: str | None = None
    access_rules: Annotated[list[Any], Field(max_length=0)] | None = None


class CreateApplicationCredential(Body):
    """`POST /v3/users/{id}/application_credentials`."""

    application_credential: NewApplicationCredential
