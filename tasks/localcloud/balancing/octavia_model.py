"""Load balancers as Octavia v2 knows them: one virtual IP, listeners on its ports, pools of members behind them.

Owns the service's values, named as the API names their attributes (Octavia api-ref, v2). Every change is a new value.
Refuses to know JSON, HTTP and Envoy; how a change settles is told in `octavia_tree`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

PROVIDER = "amphora"
"""What clients expect to find unless they ask for something else (Octavia api-ref, providers)."""


class Provisioning(StrEnum):
    """How far the last change of something is (Octavia api-ref, provisioning status codes)."""

    ACTIVE = "ACTIVE"
    ERROR = "ERROR"
    PENDING_CREATE = "PENDING_CREATE"
    PENDING_UPDATE = "PENDING_UPDATE"
    PENDING_DELETE = "PENDING_DELETE"


class Protocol(StrEnum):
    """Protocols of listeners and pools that can be served here; HTTPS is passed through, not terminated."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"
    TCP = "TCP"


POOLS_OF_LISTENERS: Mapping[Protocol, frozenset[Protocol]] = {
    Protocol.HTTP: frozenset({Protocol.HTTP}),
    Protocol.HTTPS: frozenset({Protocol.HTTPS, Protocol.TCP}),
    Protocol.TCP: frozenset({Protocol.TCP}),
}
"""Which pools a listener may have (Octavia api-ref, protocol combinations)."""


class PoolAlgorithm(StrEnum):
    """How a pool chooses a member; weights count in all of them (Octavia api-ref, pools)."""

    LEAST_CONNECTIONS = "LEAST_CONNECTIONS"
    ROUND_ROBIN = "ROUND_ROBIN"
    SOURCE_IP = "SOURCE_IP"


class PersistenceType(StrEnum):
    """What binds a client to a member."""

    HTTP_COOKIE = "HTTP_COOKIE"
    SOURCE_IP = "SOURCE_IP"


class MonitorType(StrEnum):
    """How members are asked whether they are well."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"
    TCP = "TCP"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What everything in a load balancer has, and the load balancer itself; times in UTC and whole seconds."""

    id: str
    created_at: datetime
    updated_at: datetime | None = None
    provisioning_status: Provisioning = Provisioning.PENDING_CREATE
    name: str = ""
    admin_state_up: bool = True
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Member(Resource):
    """An address and port that requests go to; weight 0 means nothing new, finish what you have."""

    address: str
    protocol_port: int
    weight: int = 1
    backup: bool = False
    subnet_id: str | None = None

    @property
    def place(self) -> tuple[str, int]:
        """What makes it unique in its pool."""
        return self.address, self.protocol_port


@dataclass(frozen=True, kw_only=True)
class Monitor(Resource):
    """A health monitor; seconds. `max_retries` successes make a member ONLINE, `max_retries_down` failures ERROR.

    `http_method`, `url_path`, `expected_codes` and `domain_name` belong to HTTP and HTTPS.
    """

    type: MonitorType
    delay: int
    timeout: int
    max_retries: int
    max_retries_down: int = 3
    http_method: str | None = None
    url_path: str | None = None
    expected_codes: str | None = None
    domain_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pool(Resource):
    """Members that serve the same thing, and how one of them is chosen."""

    protocol: Protocol
    lb_algorithm: PoolAlgorithm
    description: str = ""
    session_persistence: PersistenceType | None = None
    members: tuple[Member, ...] = ()
    monitor: Monitor | None = None


@dataclass(frozen=True, kw_only=True)
class Listener(Resource):
    """A port of the virtual IP; time-outs in milliseconds."""

    protocol: Protocol
    protocol_port: int
    description: str = ""
    default_pool_id: str | None = None
    insert_headers: Mapping[str, str] = field(default_factory=dict)
    timeout_client_data: int = 50_000
    timeout_member_connect: int = 5_000
    timeout_member_data: int = 50_000
    timeout_tcp_inspect: int = 0


@dataclass(frozen=True, kw_only=True)
class VirtualIp:
    """Where clients connect: an address on a subnet, held by a port of the network."""

    address: str
    port_id: str
    subnet_id: str
    network_id: str


@dataclass(frozen=True, kw_only=True)
class LoadBalancer(Resource):
    """One load balancer with everything in it."""

    vip: VirtualIp
    description: str = ""
    listeners: tuple[Listener, ...] = ()
    pools: tuple[Pool, ...] = ()

    def listener(self, listener_id: str | None) -> Listener | None:
        """Find a listener."""
        return next((listener for listener in self.listeners if listener.id == listener_id), None)

    def pool(self, pool_id: str | None) -> Pool | None:
        """Find a pool."""
        return next((pool for pool in self.pools if pool.id == pool_id), None)

    def listeners_of(self, pool: Pool) -> tuple[Listener, ...]:
        """Find the listeners that send requests to a pool."""
        return tuple(listener for listener in self.listeners if listener.default_pool_id == pool.id)
