"""Logging in to Rackspace identity with a user name and an API key, as a plug-in for every keystoneauth client.

`auth_type: rackspace_apikey` in clouds.yaml means this one, through the entry point group `keystoneauth1.plugin`.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from keystoneauth1 import loading
from keystoneauth1.identity import v2


class ApiKey(v2.Auth):
    """Credentials of a user name and an API key (Cloud Identity docs, authenticate: RAX-KSKEY:apiKeyCredentials)."""

    def __init__(self, auth_url: str, *, username: str, api_key: str, **scope: Any) -> None:
        super().__init__(auth_url, **scope)
        self.username = username
        self._api_key = api_key

    def get_auth_data(self, headers: MutableMapping[str, str] | None = None) -> dict[str, object]:  # noqa: ARG002  the caller's signature
        """Give the authentication part of the login's body."""
        return {"RAX-KSKEY:apiKeyCredentials": {"username": self.username, "apiKey": self._api_key}}

    def get_cache_id_elements(self) -> dict[str, str | None]:
        """Give what tells one login from another."""
        return {"auth_url": self.auth_url, "tenant_id": self.tenant_id, "username": self.username}


class ApiKeyLoader(loading.BaseV2Loader[ApiKey]):
    """Reads the credentials from clouds.yaml, secure.yaml or OS_USERNAME and OS_API_KEY."""

    @property
    def plugin_class(self) -> type[ApiKey]:
        """The plug-in that is loaded."""
        return ApiKey

    def get_options(self) -> list[loading.Opt]:
        """Give the options of a v2.0 login and ours."""
        return [
            *super().get_options(),
            loading.Opt("username", required=True, help="User name"),
            loading.Opt("api-key", required=True, secret=True, help="API key, from the control panel"),
        ]
