"""What requests about pools, members and health monitors may say (octavia/api/v2/types)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from tasks.localcloud.api.balancing.octavia_bodies import (
    CreateBody,
    Harmless,
    OctaviaBody,
    Port,
    Text,
    UpdateBody,
    shape_of,
)
from tasks.localcloud.balancing.octavia_model import MonitorType, PersistenceType, PoolAlgorithm, Protocol

Weight = Annotated[int, Field(ge=0, le=256)]
Seconds = Annotated[int, Field(ge=1)]
Retries = Annotated[int, Field(ge=1, le=10)]
UrlPath = Annotated[str, Field(pattern=r"^/[^\s]*$")]
Codes = Annotated[str, Field(pattern=r"^(\d{3}(\s*,\s*\d{3})*)$|^(\d{3}-\d{3})$")]
Method = Annotated[str, Field(pattern=r"^(DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|TRACE)$")]

MEMBER_HARMLESS: Harmless = {"monitor_address": (), "monitor_port": (), "request_sriov": (False,)}
TLS_HARMLESS: Harmless = {"tls_ciphers": (), "tls_versions": ([],), "alpn_protocols": ([],)}
POOL_HARMLESS: Harmless = {
    "tls_container_ref": (),
    "ca_tls_container_ref": (),
    "crl_container_ref": (),
    "tls_enabled": (False,),
    **TLS_HARMLESS,
}
MONITOR_HARMLESS: Harmless = {"http_version": (1.1, "1.1")}


class MemberCreate(CreateBody):
    """A member, in a create and in a batch; the batch too takes every default (types/member.py, MemberPOST)."""

    HARMLESS: ClassVar[Harmless] = MEMBER_HARMLESS
    address: str
    protocol_port: Port
    weight: Weight = 1
    backup: bool = False
    subnet_id: str | None = None


class MemberUpdate(UpdateBody):
    """What can be changed of a member."""

    HARMLESS: ClassVar[Harmless] = MEMBER_HARMLESS
    weight: Weight | None = None
    backup: bool | None = None


class MonitorInPool(CreateBody):
    """A health monitor created with its pool."""

    HARMLESS: ClassVar[Harmless] = MONITOR_HARMLESS
    type: MonitorType
    delay: Seconds
    timeout: Seconds
    max_retries: Retries
    max_retries_down: Retries = 3
    http_method: Method | None = None
    url_path: UrlPath | None = None
    expected_codes: Codes | None = None
    domain_name: Text | None = None


class MonitorCreate(MonitorInPool):
    """A health monitor for a pool that there is."""

    pool_id: str


class MonitorUpdate(UpdateBody):
    """What can be changed of a health monitor."""

    HARMLESS: ClassVar[Harmless] = MONITOR_HARMLESS
    delay: Seconds | None = None
    timeout: Seconds | None = None
    max_retries: Retries | None = None
    max_retries_down: Retries | None = None
    http_method: Method | None = None
    url_path: UrlPath | None = None
    expected_codes: Codes | None = None
    domain_name: Text | None = None


class PersistenceBody(OctaviaBody):
    """Session persistence."""

    HARMLESS: ClassVar[Harmless] = {
        "cookie_name": (),
        "persistence_timeout": (),
        "persistence_granularity": (),
    }
    type: PersistenceType


def _persistence_type(content: Any) -> PersistenceType | None:
    return None if content is None else shape_of(content, PersistenceBody).type


SessionPersistence = Annotated[PersistenceType | None, BeforeValidator(_persistence_type)]


class PoolInTree(CreateBody):
    """A pool created with its load balancer; one with a name only refers to another (controllers/load_balancer.py)."""

    HARMLESS: ClassVar[Harmless] = POOL_HARMLESS
    description: Text = ""
    protocol: Protocol | None = None
    lb_algorithm: PoolAlgorithm | None = None
    session_persistence: SessionPersistence = None
    members: tuple[MemberCreate, ...] = ()
    healthmonitor: MonitorInPool | None = None


class PoolCreate(PoolInTree):
    """A pool for a load balancer, or for one of its listeners."""

    protocol: Protocol
    lb_algorithm: PoolAlgorithm
    loadbalancer_id: str | None = None
    listener_id: str | None = None


class PoolUpdate(UpdateBody):
    """What can be changed of a pool."""

    HARMLESS: ClassVar[Harmless] = POOL_HARMLESS
    description: Text | None = None
    lb_algorithm: PoolAlgorithm | None = None
    session_persistence: SessionPersistence = None
