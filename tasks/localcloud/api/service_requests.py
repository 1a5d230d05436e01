"""Which requests do the work of a service, and how they are called in logs and faults."""

from __future__ import annotations

import re

from starlette.types import Scope

_SERVICES = re.compile(
    r"/compute/v2\.1/.+|/image/v2/.+|/network/v2\.0/.+|/load-balancer/v2(\.0)?/lbaas/.+|/clb/v1\.0/[^/]+/.+"
)


def is_service_request(scope: Scope) -> bool:
    """Whether a request is for compute, images, the network, CLB or Octavia, and not about their versions.

    Logging in and finding out about versions come and go with clients' habits; the control API is none of theirs.
    """
    return scope["type"] == "http" and _SERVICES.fullmatch(scope["path"]) is not None


def changes_something(scope: Scope) -> bool:
    """Whether a request can have an effect."""
    return scope["method"] not in {"GET", "HEAD"}


def name_of(scope: Scope) -> str:
    """Name a request: method and path."""
    return f"{scope['method']} {scope['path']}"
