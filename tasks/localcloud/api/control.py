"""The control API: asking for faults and hold points, behind a token of its own. No cloud has such a thing.

Paths are below /control; `Authorization: Bearer TOKEN` opens them.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tasks.localcloud.api.bodies import Body, Requested, read_json
from tasks.localcloud.api.faults import code_of, handlers
from tasks.localcloud.compute.refusals import BadRequest, Refusal
from tasks.localcloud.faults.bad_days import BadDays
from tasks.localcloud.faults.holds import Hold, Moment
from tasks.localcloud.faults.names import FaultName, UnknownFault, describe, fault_name
from tasks.localcloud.faults.registry import Armed, Fault

_LONGEST_WAIT = 600.0
Seconds = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False, strict=False)]


class FaultBody(Body):
    """`POST /control/faults`."""

    name: str
    times: Annotated[int, Field(ge=0)] = 1
    seconds: Seconds = 10.0
    match: str = ""
    after: Annotated[int, Field(ge=0)] = 0


class HoldBody(Body):
    """`POST /control/holds`: the `request`-th from now on of those in which `pattern`, a regular expression, is found.

    It looks at texts such as `api POST /compute/v2.1/servers` and `ssh web-1: true`.
    """

    request: Annotated[int, Field(ge=1)]
    moment: Annotated[Moment, Field(strict=False)]
    pattern: str = ""


class ControlApi:
    """`/control/faults` and `/control/holds`."""

    def __init__(self, bad_days: BadDays) -> None:
        self._bad_days = bad_days
        self._faults = bad_days.faults
        self._holds = bad_days.holds

    def application(self) -> Starlette:
        """Give the ASGI application."""
        routes = [
            Route("/faults", self.list_faults, methods=["GET"]),
            Route("/faults", self.arm_fault, methods=["POST"]),
            Route("/faults", self.clear_faults, methods=["DELETE"]),
            Route("/holds", self.show_hold, methods=["GET"]),
            Route("/holds", self.arm_hold, methods=["POST"]),
            Route("/holds", self.release_hold, methods=["DELETE"]),
        ]
        check = Middleware(ControlCheck, bad_days=self._bad_days)
        return Starlette(routes=routes, middleware=[check], exception_handlers=handlers(_refuse))

    async def list_faults(self, _: Request) -> Response:
        """List what is or was armed with what has become of it, and what there is to arm."""
        armed = [_shown(each) for each in self._faults.all()]
        return JSONResponse({"faults": armed, "known": dict(describe())})

    async def arm_fault(self, request: Request) -> Response:
        """Arm a fault, 201."""
        wanted = Requested(FaultBody).read(await read_json(request)).model_dump()
        fault = Fault(**{**wanted, "name": _name(wanted["name"])})
        return JSONResponse({"fault": _shown(self._faults.arm(fault))}, 201)

    async def clear_faults(self, request: Request) -> Response:
        """Clear all faults, or those of `?name=`."""
        name = request.query_params.get("name")
        return JSONResponse({"cleared": self._faults.clear(_name(name) if name else None)})

    async def show_hold(self, request: Request) -> Response:
        """Say how many occasions have been counted and what is held; `?wait=SECONDS` waits until something is."""
        wait = request.query_params.get("wait")
        if wait is not None:
            await self._holds.until_held(_wait(wait))
        return self._hold()

    async def arm_hold(self, request: Request) -> Response:
        """Arm a hold point, 201; what was held before is let go."""
        wanted = Requested(HoldBody).read(await read_json(request))
        _check_pattern(wanted.pattern)
        self._holds.arm(Hold(request=wanted.request, moment=wanted.moment, pattern=wanted.pattern))
        return self._hold(201)

    async def release_hold(self, _: Request) -> Response:
        """Close the connection that is held, without an answer, and hold nothing more."""
        self._holds.release()
        return self._hold()

    def _hold(self, code: int = 200) -> Response:
        armed, held = self._holds.armed, self._holds.held
        shown = {
            "counted": self._holds.counted,
            "armed": asdict(armed) if armed else None,
            "held": asdict(held) if held else None,
        }
        return JSONResponse(shown, code)


class ControlCheck:
    """Lets through only requests that carry the control token."""

    def __init__(self, app: ASGIApp, bad_days: BadDays) -> None:
        self._app = app
        self._bad_days = bad_days

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 401."""
        scheme, _, token = Request(scope).headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._bad_days.accepts(token.strip()):
            await self._app(scope, receive, send)
            return
        refusal = {"error": "the control API wants `Authorization: Bearer TOKEN`; `status --json` has the token"}
        await JSONResponse(refusal, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)


def _shown(armed: Armed) -> dict[str, Any]:
    return {**asdict(armed.fault), "passed": armed.passed, "struck": armed.struck, "strikes": list(armed.strikes)}


def _name(text: str) -> FaultName:
    try:
        return fault_name(text)
    except UnknownFault as error:
        raise BadRequest(str(error)) from None


def _check_pattern(text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise BadRequest(f"pattern is no regular expression: {error}") from None


def _wait(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_WAIT:
        raise BadRequest(f"wait is no number of seconds from 0 to {_LONGEST_WAIT:g}: {text}")
    return seconds


async def _refuse(_: Request, error: Exception) -> Response:
    """Word what goes wrong here: a sentence for whoever steers the cloud."""
    match error:
        case Refusal():
            return JSONResponse({"error": str(error)}, code_of(error))
        case HTTPException():
            return JSONResponse({"error": error.detail}, error.status_code)
        case _:
            return JSONResponse({"error": "a bug of the local cloud, see its daemon log"}, 500)
