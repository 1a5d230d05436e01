"""Cloud Load Balancers v1.0 requests: what a body may contain.

JSON in, typed bodies out. Owns the shape alone; whether values make sense is decided in `clb_rules`.

The root name is optional, nulls mean absent, numbers and booleans may come as text, unknown fields are refused (the
service's own JSON reader: ObjectWrapperDeserializer, Jackson).
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from tasks.localcloud.balancing.clb_faults import not_in_schema

Body = TypeVar("Body", bound="ClbBody")


class ClbBody(BaseModel):
    """A body: camel case outside, nothing unknown, everything may be absent."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class MetaBody(ClbBody):
    """A piece of metadata."""

    id: Any = None
    key: str | None = None
    value: str | None = None


class NodeBody(ClbBody):
    """A node; `id` and `status` are known so that their presence can be named."""

    id: int | None = None
    address: str | None = None
    port: int | None = None
    condition: str | None = None
    status: str | None = None
    type: str | None = None
    weight: int | None = None
    metadata: tuple[MetaBody, ...] | None = None


class NodesBody(ClbBody):
    """Nodes to add, or to change."""

    nodes: tuple[NodeBody, ...] = ()


class VirtualIpBody(ClbBody):
    """A virtual IP: a new one by type, or an existing one by id."""

    id: int | None = None
    type: str | None = None
    ip_version: str | None = None
    address: str | None = None


class MonitorBody(ClbBody):
    """A health monitor."""

    type: str | None = None
    id: int | None = None
    delay: int | None = None
    timeout: int | None = None
    attempts_before_deactivation: int | None = None
    path: str | None = None
    status_regex: str | None = None
    body_regex: str | None = None
    host_header: str | None = None


class PersistenceBody(ClbBody):
    """Session persistence."""

    persistence_type: str | None = None


class SwitchBody(ClbBody):
    """Something that is on or off."""

    enabled: bool | None = None


class BalancerBody(ClbBody):
    """A load balancer to create, or to change."""

    id: int | None = None
    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    algorithm: str | None = None
    timeout: int | None = None
    status: str | None = None
    half_closed: bool | None = None
    https_redirect: bool | None = None
    virtual_ips: tuple[VirtualIpBody, ...] | None = None
    nodes: tuple[NodeBody, ...] | None = None
    metadata: tuple[MetaBody, ...] | None = None
    health_monitor: MonitorBody | None = None
    session_persistence: PersistenceBody | None = None
    connection_logging: SwitchBody | None = None
    content_caching: SwitchBody | None = None
    connection_throttle: dict[str, Any] | None = None
    access_list: list[Any] | None = None
    ssl_termination: dict[str, Any] | None = None


class MetadataBody(ClbBody):
    """Metadata to add: a list, or one piece (CLB docs, metadata)."""

    metadata: tuple[MetaBody, ...] | None = None
    meta: MetaBody | None = None


async def read(request: Request, shape: type[Body], root: str | None = None) -> Body:
    """Read a request's body, with or without its root name.

    :raises Fault: 400, it is not JSON or not of this shape.
    """
    try:
        content = await request.json()
        if root and isinstance(content, dict) and set(content) == {root}:
            content = content[root]
        return shape.model_validate(without_nulls(content))
    except (ValueError, ValidationError) as mismatch:
        raise not_in_schema() from mismatch


def without_nulls(content: Any) -> Any:
    """Drop nulls, which mean the same as absence."""
    match content:
        case dict():
            return {name: without_nulls(value) for name, value in content.items() if value is not None}
        case list():
            return [without_nulls(value) for value in content]
        case _:
            return content
