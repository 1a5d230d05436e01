"""The shapes of requests for a v2.0 token, and which credentials they show."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from tasks.localcloud.identity.credentials import Credentials


class Lenient(BaseModel):
    """Identity ignores keys that it does not know."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class PasswordCredentials(Lenient):
    """A name and a password."""

    username: str
    password: SecretStr


class ApiKeyCredentials(Lenient):
    """A name and an API key (Rackspace's extension RAX-KSKEY)."""

    username: str
    apiKey: SecretStr  # noqa: N815  the API's own name


class _V2Credentials(Lenient):
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
        """Name the way of authentication as keystone names methods."""
        return "password" if self.passwordCredentials else "api_key"

    def accepted_by(self, credentials: Credentials) -> bool:
        """Say whether these are the user's."""
        if self.passwordCredentials:
            given = self.passwordCredentials
            return credentials.accepts_password(given.username, given.password.get_secret_value())
        assert self.api_key
        return credentials.accepts_api_key(self.api_key.username, self.api_key.apiKey.get_secret_value())


class V2Auth(Lenient):
    """`POST /v2.0/tokens`."""

    auth: _V2Credentials
