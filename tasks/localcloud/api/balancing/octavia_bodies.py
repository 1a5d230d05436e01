"""How request bodies of Octavia are read: attributes, nulls, and the wording of mistakes (WSME, octavia/api/v2/types).

A body of a create drops nulls, which mean the same as absence; in a body of an update null means "back to the default".
Numbers and booleans may be strings, as WSME has it. An attribute that the service knows and this cloud's proxy cannot
carry out is refused unless it has a harmless value; it is never accepted and then forgotten.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request

from tasks.localcloud.balancing.octavia_faults import Fault, invalid_input, unknown_attribute, unsupported

Text = Annotated[str, Field(max_length=255)]
Tags = tuple[Text, ...]
Port = Annotated[int, Field(ge=1, le=65535)]
Harmless = Mapping[str, tuple[Any, ...]]

Shape = TypeVar("Shape", bound="OctaviaBody")

NOT_HERE: Mapping[str, frozenset[str]] = {
    "protocol": frozenset({"TERMINATED_HTTPS", "UDP", "SCTP", "PROMETHEUS", "PROXY", "PROXYV2"}),
    "lb_algorithm": frozenset({"SOURCE_IP_PORT"}),
    "http_method": frozenset({"CONNECT"}),
    "type": frozenset({"APP_COOKIE", "PING", "SCTP", "TLS-HELLO", "UDP-CONNECT"}),
}
"""Values that the service knows and that this cloud's proxy cannot carry out."""


class OctaviaBody(BaseModel):
    """A shape with exactly its declared attributes; what `HARMLESS` names may have only the values given there."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    HARMLESS: ClassVar[Harmless] = {}

    @model_validator(mode="before")
    @classmethod
    def refuse_what_cannot_be_done(cls, content: Any) -> Any:
        """Take harmless values out.

        :raises Fault: 501, another value is asked for.
        """
        if not isinstance(content, dict):
            return content
        for name, harmless in cls.HARMLESS.items():
            if name in content and content[name] is not None and content[name] not in harmless:
                raise unsupported(f"{name} {content[name]!r}")
        return {name: value for name, value in content.items() if name not in cls.HARMLESS}


class CreateBody(OctaviaBody):
    """A body of a create; the deprecated `project_id` is accepted, since there is one project."""

    project_id: Text | None = Field(None, exclude=True)
    tenant_id: Text | None = Field(None, exclude=True)
    name: Text = ""
    admin_state_up: bool = True
    tags: Tags = ()

    @model_validator(mode="before")
    @classmethod
    def drop_nulls(cls, content: Any) -> Any:
        """Treat null as absent."""
        return {k: v for k, v in content.items() if v is not None} if isinstance(content, dict) else content


class UpdateBody(OctaviaBody):
    """A body of an update; what counts is which attributes were given."""

    name: Text | None = None
    admin_state_up: bool | None = None
    tags: Tags | None = None

    def given(self) -> dict[str, Any]:
        """Give the attributes of the body, nulls included."""
        return {name: getattr(self, name) for name in self.model_fields_set}


async def read(request: Request, root: str, shape: type[Shape]) -> Shape:
    """Read the body of a request.

    :raises Fault: 400, it is not JSON or not of this shape; 501, it asks for what cannot be done here.
    """
    return shape_of(await _content(request, root), shape)


async def read_list(request: Request, root: str, shape: type[Shape]) -> list[Shape]:
    """Read the body of a request that holds a list.

    :raises Fault: as `read`.
    """
    content = await _content(request, root)
    if not isinstance(content, list):
        raise invalid_input(root, content, "a list is wanted")
    return [shape_of(item, shape) for item in content]


def shape_of(content: Any, shape: type[Shape]) -> Shape:
    """Check a decoded body.

    :raises Fault: as `read`.
    """
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        raise _fault(error) from None


async def _content(request: Request, root: str) -> Any:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise Fault(400, "Request is not in valid JSON format") from error
    if not isinstance(body, dict) or root not in body:
        raise invalid_input(root, None, "Mandatory field missing.")
    if unknown := sorted(set(body) - {root}):
        raise unknown_attribute(unknown[0])
    return body[root]


def _fault(error: ValidationError) -> Fault:
    """Word the first mistake as WSME does."""
    mistake = error.errors(include_url=False)[0]
    name = re.sub(r"\.(\d+)", r"[\1]", ".".join(str(part) for part in mistake["loc"]))
    value = mistake["input"]
    match mistake["type"]:
        case "missing":
            return invalid_input(name, None, "Mandatory field missing.")
        case "extra_forbidden":
            return unknown_attribute(name)
        case _ if isinstance(value, str) and value in NOT_HERE.get(str(mistake["loc"][-1]), ()):
            return unsupported(f"{mistake['loc'][-1]} {value}")
        case _:
            return invalid_input(name, value, mistake["msg"])
