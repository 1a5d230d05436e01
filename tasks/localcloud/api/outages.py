"""How a request is answered when a service is not itself, or somebody in front of it does not let it through.

Each service has words of its own; for what comes from a proxy in front, the proxy's are used. Decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from starlette.responses import JSONResponse, PlainTextResponse, Response

from tasks.localcloud.api.faults import nova_fault
from tasks.localcloud.balancing import clb_faults, octavia_faults
from tasks.localcloud.options import Face

Words = Callable[[int, str], Response]


def internal_error(path: str) -> Response:
    """Answer 500 as the service of a path does when it has failed."""
    words, sentence = _INTERNAL[_service(path)]
    return words(500, sentence)


def unavailable(path: str, seconds: float) -> Response:
    """Answer 503: Rackspace's services in their own words, others as the HAProxy in front of them does.

    Only Cloud Load Balancers say when to come back (atlas-lb, ResponseFactory: Retry-After).
    """
    match _service(path):
        case "clb":
            answer = _flat(503, "The load balancing service is currently unavailable.")
            answer.headers["Retry-After"] = _whole(seconds)
            return answer
        case "compute":
            return nova_fault(503, "The server is currently unavailable. Please try again at a later time.")
        case _:
            return PlainTextResponse(_HAPROXY, 503, media_type="text/html")


def over_limit(path: str, face: Face, seconds: float) -> Response:
    """Refuse by the rate limit: Rackspace's proxy with a nested 413, OpenStack's with 429; both with Retry-After."""
    service = _service(path)
    if service == "clb" or (service == "compute" and face is not Face.OPENSTACK):
        answer = _repose(seconds)
    elif service == "compute":
        body = {"code": 429, "message": "This request was rate-limited.", "retryAfter": _whole(seconds)}
        answer = JSONResponse({"overLimit": body}, 429)
    else:
        answer = _INTERNAL[service][0](429, "This request was rate-limited.")
    answer.headers["Retry-After"] = _whole(seconds)
    return answer


def _service(path: str) -> str:
    return path.split("/")[1]


def _whole(seconds: float) -> str:
    return str(math.ceil(seconds))


def _repose(seconds: float) -> Response:
    """Give what the limiting proxy of Rackspace says (atlas-lb, contrib/etc/repose/response-messaging.cfg.xml)."""
    again = datetime.now(UTC) + timedelta(seconds=seconds)
    body = {
        "code": 413,
        "message": "OverLimit Retry...",
        "details": "Error Details...",
        "retryAfter": again.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    return JSONResponse({"overLimit": body}, 413)


def _flat(code: int, message: str) -> Response:
    fault = clb_faults.fault(code, message)
    return JSONResponse(fault.body, code)


def _wsme(code: int, message: str) -> Response:
    return JSONResponse(octavia_faults.Fault(code, message).body, code)


def _neutron(code: int, message: str) -> Response:
    return JSONResponse({"NeutronError": {"type": "HTTPError", "message": message, "detail": ""}}, code)


def _plain(code: int, message: str) -> Response:
    return PlainTextResponse(message, code)


UNEXPECTED = """Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API log if possible.
<class 'oslo_messaging.exceptions.MessagingTimeout'>"""  # noqa: E501  Nova's own words
"""nova/api/openstack/wsgi.py."""

_HAPROXY = """<html><body><h1>503 Service Unavailable</h1>
No server is available to handle this request.
</body></html>
"""
_INTERNAL: Mapping[str, tuple[Words, str]] = {
    "clb": (_flat, "An unknown exception has occurred. Please contact support."),
    "compute": (nova_fault, UNEXPECTED),
    "image": (_plain, "The server has either erred or is incapable of performing the requested operation."),
    "load-balancer": (_wsme, "An unknown exception occurred."),
    "network": (_neutron, "Request Failed: internal server error while processing your request."),
}
