"""What requests about load balancers, listeners and quotas may say (octavia/api/v2/types)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from tasks.localcloud.api.balancing.octavia_bodies import CreateBody, Harmless, OctaviaBody, Port, Text, UpdateBody
from tasks.localcloud.api.balancing.octavia_pool_bodies import TLS_HARMLESS, PoolInTree
from tasks.localcloud.balancing.octavia_faults import unsupported
from tasks.localcloud.balancing.octavia_model import PROVIDER, Protocol

MAX_TIMEOUT = 24 * 24 * 60 * 60 * 1000  # milliseconds; octavia/common/constants.py

Timeout = Annotated[int, Field(ge=0, le=MAX_TIMEOUT)]
Limit = Annotated[int, Field(ge=-1)]

LISTENER_HARMLESS: Harmless = {
    "connection_limit": (-1,),
    "allowed_cidrs": ([], ["0.0.0.0/0"], ["127.0.0.0/8"]),
    "default_tls_container_ref": (),
    "sni_container_refs": ([],),
    "client_ca_tls_container_ref": (),
    "client_authentication": ("NONE",),
    "client_crl_container_ref": (),
    "l7policies": ([],),
    "hsts_include_subdomains": (False,),
    "hsts_max_age": (),
    "hsts_preload": (False,),
    **TLS_HARMLESS,
}
BALANCER_HARMLESS: Harmless = {
    "provider": (PROVIDER, "octavia"),
    "flavor_id": (),
    "availability_zone": (),
    "vip_qos_policy_id": (),
    "additional_vips": ([],),
    "vip_sg_ids": ([],),
    "vip_vnic_type": ("normal",),
}

HEADERS_ADDED = frozenset({"X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"})


def _headers(wanted: dict[str, str]) -> dict[str, str]:
    for name, value in wanted.items():
        if name not in HEADERS_ADDED or value not in {"true", "True"}:
            raise unsupported(f"insert_headers {name}: {value}; {', '.join(sorted(HEADERS_ADDED))} are always added")
    return wanted


Headers = Annotated[dict[str, str], AfterValidator(_headers)]


class ListenerInTree(CreateBody):
    """A listener created with its load balancer."""

    HARMLESS: ClassVar[Harmless] = LISTENER_HARMLESS
    description: Text = ""
    protocol: Protocol
    protocol_port: Port
    default_pool_id: str | None = None
    default_pool: PoolInTree | None = None
    insert_headers: Headers = Field(default_factory=dict)
    timeout_client_data: Timeout = 50_000
    timeout_member_connect: Timeout = 5_000
    timeout_member_data: Timeout = 50_000
    timeout_tcp_inspect: Timeout = 0


class ListenerCreate(ListenerInTree):
    """A listener for a load balancer that there is."""

    loadbalancer_id: str


class ListenerUpdate(UpdateBody):
    """What can be changed of a listener."""

    HARMLESS: ClassVar[Harmless] = LISTENER_HARMLESS
    description: Text | None = None
    default_pool_id: str | None = None
    insert_headers: Headers | None = None
    timeout_client_data: Timeout | None = None
    timeout_member_connect: Timeout | None = None
    timeout_member_data: Timeout | None = None
    timeout_tcp_inspect: Timeout | None = None


class BalancerCreate(CreateBody):
    """A load balancer, with everything in it if wanted."""

    HARMLESS: ClassVar[Harmless] = BALANCER_HARMLESS
    description: Text = ""
    vip_address: str | None = None
    vip_subnet_id: str | None = None
    vip_network_id: str | None = None
    vip_port_id: str | None = None
    listeners: tuple[ListenerInTree, ...] = ()
    pools: tuple[PoolInTree, ...] = ()


class BalancerUpdate(UpdateBody):
    """What can be changed of a load balancer."""

    HARMLESS: ClassVar[Harmless] = {"vip_qos_policy_id": (), "vip_sg_ids": ([],)}
    description: Text | None = None


class QuotaBody(OctaviaBody):
    """Limits to set; null is the default."""

    loadbalancer: Limit | None = None
    listener: Limit | None = None
    pool: Limit | None = None
    member: Limit | None = None
    healthmonitor: Limit | None = None
    l7policy: Limit | None = None
    l7rule: Limit | None = None
