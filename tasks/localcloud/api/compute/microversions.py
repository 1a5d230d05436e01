"""Which microversion of compute a request speaks, and what the answer says about it.

Facts: nova/api/openstack/compute/rest_api_version_history.rst; api-guide, microversions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.localcloud.api.faults import nova_fault

_VERSION = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)")
_NEW_HEADER = "OpenStack-API-Version"
_OLD_HEADER = "X-OpenStack-Nova-API-Version"


@dataclass(frozen=True, kw_only=True, order=True)
class Microversion:
    """A version such as 2.60; compared as numbers, so 2.9 is older than 2.10."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


OLDEST = Microversion(major=2, minor=1)
NEWEST = Microversion(major=2, minor=96)


class UnknownMicroversion(Exception):
    """The header does not name a version that is served; `code` is the HTTP status for it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def requested(headers: Headers) -> Microversion:
    """Read the version that a request asks for; 2.1 when it does not say.

    :raises UnknownMicroversion: it is no version (400), or not one that is served (406).
    """
    text = _header(headers)
    if text is None:
        return OLDEST
    if text == "latest":
        return NEWEST
    match = _VERSION.fullmatch(text)
    if not match:
        problem = f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
        raise UnknownMicroversion(400, problem)
    version = Microversion(major=int(match[1]), minor=int(match[2]))
    if not OLDEST <= version <= NEWEST:
        problem = f"Version {version} is not supported by the API. Minimum is {OLDEST} and maximum is {NEWEST}."
        raise UnknownMicroversion(406, problem)
    return version


def _header(headers: Headers) -> str | None:
    """Give the version asked of compute; the newer header wins and may speak to several services."""
    for part in headers.get(_NEW_HEADER, "").split(","):
        service, _, version = part.strip().partition(" ")
        if service.lower() == "compute":
            return version.strip()
    return headers.get(_OLD_HEADER)


def spoken(request: Request) -> Microversion:
    """Give the version of a request that has come through `Microversions`."""
    version = request.scope["microversion"]
    assert isinstance(version, Microversion)
    return version


def at_least(request: Request, minor: int) -> bool:
    """Say whether a request speaks 2.`minor` or newer."""
    return spoken(request).minor >= minor


class Microversions:
    """Reads the version of every request and names it in every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request in the version it asks for."""
        try:
            version = requested(Headers(scope=scope))
        except UnknownMicroversion as error:
            await nova_fault(error.code, str(error))(scope, receive, send)
            return
        scope["microversion"] = version

        async def name_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[_NEW_HEADER] = f"compute {version}"
                headers[_OLD_HEADER] = str(version)
                headers["Vary"] = f"{_NEW_HEADER}, {_OLD_HEADER}"
            await send(message)

        await self._app(scope, receive, name_version)
