"""Reading request bodies: JSON, checked against a declared shape. A mistake is refused in Nova's own words."""

from __future__ import annotations

import json
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tasks.localcloud.compute.refusals import BadRequest

Shape = TypeVar("Shape", bound=BaseModel)


class Body(BaseModel):
    """A shape with exactly its declared keys: an unknown one is refused, as Nova does from v2.1 on."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


async def read_json(request: Request) -> Any:
    """Read a JSON body.

    :raises BadRequest: it is not JSON.
    """
    media_type = request.headers.get("Content-Type", "application/json").partition(";")[0].strip()
    if media_type != "application/json":
        raise HTTPException(415, "Unsupported Content-Type")
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise BadRequest("Malformed request body") from error


class Requested(Generic[Shape]):
    """Reads one shape out of a decoded body."""

    def __init__(self, shape: type[Shape]) -> None:
        self._shape = shape

    def read(self, body: Any) -> Shape:
        """Check a body.

        :raises BadRequest: it has another shape; the message says where.
        """
        try:
            return self._shape.model_validate(body)
        except ValidationError as error:
            # The cause is dropped: it would carry the values, which may be secret, into tracebacks.
            raise BadRequest(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """Word the first mistake as Nova's schema checker does (nova/api/validation/validators.py)."""
    mistake = error.errors(include_input=False, include_url=False)[0]
    *parents, last = [str(part) for part in mistake["loc"]] or ["body"]
    match mistake["type"]:
        case "missing":
            problem = f"'{last}' is a required property"
            return _at(parents, problem) if parents else problem
        case "extra_forbidden":
            problem = f"Additional properties are not allowed ('{last}' was unexpected)"
            return _at(parents, problem) if parents else problem
        case _:
            return _at([*parents, last], mistake["msg"])


def _at(path: list[str], problem: str) -> str:
    return f"Invalid input for field/attribute {'.'.join(path)}. {problem}"
