"""The shapes of requests for a token, and which credentials they show."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from tasks.localcloud.credentials import Credentials


class _Lenient(BaseModel):
    """Identity ignores keys that it does not know."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class PasswordCredentials(_Lenient):
    """A name and a password."""

    username: str
    password: SecretStr


class ApiKeyCredentials(_Lenient):
    """A name and an API key (Rackspace's extension RAX-KSKEY)."""

    username: str
    apiKey: SecretStr  # noqa: N815  the API's own name


class _V2Credentials(_Lenient):
    passwordCredentials: PasswordCredentials | None = None  # noqa: N815  the API's own name
    api_key: ApiKeyCredentials | None = Field(None, alias="RAX-KSKEY:apiKeyCredentials")
    tenantId: str | None = None  # noqa: N815  the API's own name
    tenantName: str | None = None  # noqa: N815  the API's own name

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.passwordCredentials is None) == (self.api_key is None):
            msg = "Expecting either passwordCredentials or RAX-KSKEY:apiKeyCredentials"
            raise ValueError(msg)
        return self

    def project(self) -> str | None:
        """Give the project asked for, None when that is left to the service."""
        return self.tenantId if self.tenantId is not None else self.tenantName

    def method(self) -> str:
        """Name the way of authentication as RAX-AUTH:authenticatedBy does."""
        return "PASSWORD" if self.passwordCredentials else "APIKEY"

    def accepted_by(self, credentials: Credentials) -> bool:
        """Say whether these are the user's."""
        if self.passwordCredentials:
            given = self.passwordCredentials
            return credentials.accepts_password(given.username, given.password.get_secret_value())
        assert self.api_key
        return credentials.accepts_api_key(self.api_key.username, self.api_key.apiKey.get_secret_value())


class V2Auth(_Lenient):
    """`POST /v2.0/tokens`."""

    auth: _V2Credentials


class _Named(_Lenient):
    id: str | None = None
    name: str | None = None


class _Domain(_Named):
    def is_default(self) -> bool:
        return self.id == "default" or (self.id is None and self.name == "Default")


class _User(_Named):
    password: SecretStr
    domain: _Domain | None = None

    def accepted_by(self, credentials: Credentials) -> bool:
        username = self.name or ""
        if self.id is not None:
            username = credentials.username if self.id == credentials.user_id else ""
        at_home = self.id is not None or (self.domain is not None and self.domain.is_default())
        return credentials.accepts_password(username, self.password.get_secret_value()) and at_home


class _Password(_Lenient):
    user: _User


class _Identity(_Lenient):
    methods: list[Literal["password"]] = Field(min_length=1)
    password: _Password


class _Project(_Named):
    domain: _Domain | None = None

    def is_project_of(self, credentials: Credentials) -> bool:
        if self.id is not None:
            return self.id == credentials.project
        return self.name == credentials.project and self.domain is not None and self.domain.is_default()


class _Scope(_Lenient):
    project: _Project


class _V3Credentials(_Lenient):
    identity: _Identity
    scope: _Scope | None = None

    def accepted_by(self, credentials: Credentials) -> bool:
        """Say whether these are the user's, for a project of theirs; without a scope it is their default project."""
        in_scope = self.scope is None or self.scope.project.is_project_of(credentials)
        return self.identity.password.user.accepted_by(credentials) and in_scope


class V3Auth(_Lenient):
    """`POST /v3/auth/tokens`."""

    auth: _V3Credentials
