"""Changes of an image by JSON patch. Facts: glance api-ref, v2, images, update; glance/api/v2/images.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tasks.localcloud.compute.images import Image
from tasks.localcloud.compute.refusals import BadRequest, Conflict, Forbidden

MEDIA_TYPES = {f"application/openstack-images-v2.{minor}-json-patch" for minor in (0, 1)}
TAG_LIMIT = 128
_READ_ONLY = {"id", "status", "size", "virtual_size", "checksum", "created_at", "updated_at", "self", "file", "schema"}
_READ_ONLY |= {"owner", "direct_url", "container_format", "disk_format", "visibility"}
_FIELDS: dict[str, tuple[type, str]] = {
    "name": (str, "name"),
    "protected": (bool, "protected"),
    "os_hidden": (bool, "hidden"),
    "min_disk": (int, "min_disk"),
    "min_ram": (int, "min_ram"),
    "tags": (list, "tags"),
}


class _Operation(BaseModel):
    model_config = ConfigDict(frozen=True)

    op: Literal["add", "replace", "remove"]
    path: str = Field(pattern=r"^/[^/]+$")
    value: Any = None

    @property
    def name(self) -> str:
        return self.path[1:].replace("~1", "/").replace("~0", "~")


_PATCH = TypeAdapter(list[_Operation])


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Changes to make one after the other, all or none."""

    operations: tuple[_Operation, ...]

    def apply(self, image: Image) -> Image:
        """Give the image as it is afterwards.

        :raises BadRequest: a value is of the wrong kind, or a field cannot be removed.
        :raises Conflict: a property to be replaced or removed does not exist.
        :raises Forbidden: a field belongs to the service.
        """
        for operation in self.operations:
            image = _change_of(operation.name)(image, operation)
        return image


def read_patch(body: Any) -> Patch:
    """Check a decoded body.

    :raises BadRequest: it is no JSON patch.
    """
    try:
        return Patch(operations=tuple(_PATCH.validate_python(body)))
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        raise BadRequest(f"Invalid JSON patch at {problem['loc']}: {problem['msg']}") from None


def _change_of(name: str) -> Callable[[Image, _Operation], Image]:
    if name in _READ_ONLY:
        return _refuse
    return _change_field if name in _FIELDS else _change_property


def _refuse(_: Image, operation: _Operation) -> Image:
    raise Forbidden(f"Attribute '{operation.name}' is read-only.")


def _change_field(image: Image, operation: _Operation) -> Image:
    kind, field = _FIELDS[operation.name]
    if operation.op == "remove":
        raise BadRequest(f"Property {operation.name} may not be removed.")
    value: Any = operation.value
    if type(operation.value) is not kind:
        raise BadRequest(f"{value!r} is not of type {kind.__name__} for '{operation.name}'")
    changes: dict[str, Any] = {field: check_tags(value) if field == "tags" else value}
    return replace(image, **changes)


def _change_property(image: Image, operation: _Operation) -> Image:
    name, properties = operation.name, dict(image.metadata)
    if operation.op != "add" and name not in properties:
        raise Conflict(f"Property {name} does not exist.")
    if operation.op == "remove":
        del properties[name]
    elif isinstance(operation.value, str) and re.fullmatch(r"[^\x00]{1,255}", name):
        properties[name] = operation.value
    else:
        raise BadRequest(f"{operation.value!r} is not of type string for '{name}'")
    return replace(image, metadata=MappingProxyType(properties))


def check_tags(tags: list[Any]) -> tuple[str, ...]:
    """Give tags, each once.

    :raises BadRequest: one is no text of 255 characters, or there are more than 128.
    """
    if not all(isinstance(tag, str) and 0 < len(tag) <= 255 for tag in tags):
        raise BadRequest("A tag is a text of 1 to 255 characters.")
    if len(set(tags)) > TAG_LIMIT:
        raise BadRequest(f"The limit has been exceeded on the number of allowed image tags: {TAG_LIMIT}.")
    return tuple(dict.fromkeys(tags))
