"""How each service words a refusal: Nova's, keystone's and glance's error bodies. Decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tasks.localcloud.compute.refusals import BadRequest, Conflict, Forbidden, NotFound, Refusal

_NOVA_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    406: "notAcceptable",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    503: "serviceUnavailable",
}
"""nova/api/openstack/wsgi.py, Fault._fault_names."""

_CODES: dict[type[Refusal], int] = {BadRequest: 400, Forbidden: 403, NotFound: 404, Conflict: 409}
_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}


def nova_fault(code: int, message: str) -> JSONResponse:
    """Answer as Nova and Rackspace's identity v2.0 do: the fault's name, with code and message inside."""
    name = _NOVA_NAMES.get(code, "computeFault")
    return JSONResponse({name: {"code": code, "message": message}}, status_code=code)


def keystone_fault(code: int, message: str) -> JSONResponse:
    """Answer as keystone does."""
    body = {"error": {"code": code, "title": _TITLES.get(code, "Error"), "message": message}}
    return JSONResponse(body, status_code=code)


def code_of(refusal: Refusal) -> int:
    """Give the HTTP status of a refusal."""
    return _CODES[type(refusal)]


Refuse = Callable[[Request, Exception], Awaitable[Response]]


def handlers(refuse: Refuse) -> Mapping[Any, Refuse]:
    """Let a service's own wording answer for everything that goes wrong in it.

    What is a bug of ours goes on after it was answered: the server that runs the application logs its traceback.
    """
    return {Refusal: refuse, HTTPException: refuse, Exception: refuse}


async def refuse_as_nova(_: Request, error: Exception) -> Response:
    """Turn an exception of compute into Nova's answer."""
    match error:
        case Refusal():
            return nova_fault(code_of(error), str(error))
        case HTTPException(status_code=404):
            return nova_fault(404, "The resource could not be found.")
        case HTTPException():
            return nova_fault(error.status_code, error.detail)
        case _:
            message = f"Unexpected API Error: a bug of the local cloud, see its daemon log.\n{type(error)}"
            return nova_fault(500, message)


async def refuse_as_keystone(_: Request, error: Exception) -> Response:
    """Turn an exception of identity into keystone's answer."""
    match error:
        case Refusal():
            return keystone_fault(code_of(error), str(error))
        case HTTPException():
            return keystone_fault(error.status_code, error.detail)
        case _:
            return keystone_fault(500, "a bug of the local cloud, see its daemon log")


async def refuse_as_glance(_: Request, error: Exception) -> Response:
    """Turn an exception of the image service into plain text."""
    match error:
        case Refusal():
            return PlainTextResponse(str(error), status_code=code_of(error))
        case HTTPException():
            return PlainTextResponse(error.detail, status_code=error.status_code)
        case _:
            return PlainTextResponse("a bug of the local cloud, see its daemon log", status_code=500)


async def refuse_as_balancers(_: Request, error: Exception) -> Response:
    """Turn what load balancers did not word themselves into their flat form (CLB docs, faults)."""
    code = error.status_code if isinstance(error, HTTPException) else 500
    message = error.detail if isinstance(error, HTTPException) else "a bug of the local cloud, see its daemon log"
    return JSONResponse({"message": message, "code": code}, status_code=code)
