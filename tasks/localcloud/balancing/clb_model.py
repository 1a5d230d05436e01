"""Load balancers as Cloud Load Balancers v1.0 knows them, and each of them as a frontend.

Owns the service's values and their translation for the proxy. Refuses to know JSON, HTTP and Envoy.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from tasks.localcloud.proxy.frontends import (
    Algorithm,
    Backend,
    Condition,
    Endpoint,
    Expectation,
    Frontend,
    Probe,
    ProbeKind,
    Stickiness,
    Traffic,
)
from tasks.localcloud.proxy.probes import literal_parts, matching_statuses

# Protocols and their default ports (CLB docs, protocols), as far as a TCP proxy carries them; None: a port is required.
PROTOCOLS: dict[str, int | None] = {
    "DNS_TCP": 53,
    "FTP": 21,
    "HTTP": 80,
    "HTTPS": 443,
    "IMAPS": 993,
    "IMAPv4": 143,
    "LDAP": 389,
    "LDAPS": 636,
    "MYSQL": 3306,
    "POP3": 110,
    "POP3S": 995,
    "SFTP": 22,
    "SMTP": 25,
    "TCP": None,
    "TCP_CLIENT_FIRST": None,
}


class Status(StrEnum):
    """Where a load balancer is in its life; only an ACTIVE one can be changed (CLB docs, load-balancers)."""

    BUILD = "BUILD"
    ACTIVE = "ACTIVE"
    PENDING_UPDATE = "PENDING_UPDATE"
    PENDING_DELETE = "PENDING_DELETE"
    ERROR = "ERROR"
    DELETED = "DELETED"


class NodeType(StrEnum):
    """SECONDARY nodes serve while no PRIMARY one can (CLB docs, nodes)."""

    PRIMARY = "PRIMARY"
    SECONDARY = "SECONDARY"


class Persistence(StrEnum):
    """What binds a client to a node (CLB docs, sessions). SSL_ID is not offered: Envoy cannot do it."""

    HTTP_COOKIE = "HTTP_COOKIE"
    SOURCE_IP = "SOURCE_IP"


STICKINESS = {Persistence.HTTP_COOKIE: Stickiness.COOKIE, Persistence.SOURCE_IP: Stickiness.SOURCE_IP}


@dataclass(frozen=True, kw_only=True)
class Meta:
    """A piece of metadata, on a load balancer or a node."""

    id: int
    key: str
    value: str


@dataclass(frozen=True, kw_only=True)
class VirtualIp:
    """An address that clients connect to; load balancers with different ports may share it."""

    id: int
    address: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Node:
    """An address and port that requests go to, as its owner wants it; its status is the proxy's to tell."""

    id: int
    endpoint: Endpoint
    condition: Condition
    weight: int = 1
    type: NodeType = NodeType.PRIMARY
    metadata: tuple[Meta, ...] = ()

    def as_backend(self) -> Backend:
        """Say the same to the proxy."""
        spare = self.type is NodeType.SECONDARY
        return Backend(endpoint=self.endpoint, condition=self.condition, weight=self.weight, spare=spare)


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """A health monitor; times in seconds. `path` and the rest belong to HTTP and HTTPS monitors."""

    type: ProbeKind
    delay: int
    timeout: int
    attempts: int
    path: str | None = None
    status_regex: str | None = None
    body_regex: str | None = None
    host_header: str | None = None

    def as_probe(self) -> Probe:
        """Say the same to the proxy.

        :raises ValueError, re.error: a pattern is none, or one that Envoy cannot check.
        """
        return Probe(
            kind=self.type, interval=self.delay, timeout=self.timeout, attempts=self.attempts, expects=self._expects()
        )

    def _expects(self) -> Expectation | None:
        if self.type is ProbeKind.CONNECT:
            return None
        return Expectation(
            path=self.path or "/",
            statuses=matching_statuses(self.status_regex or "200"),
            body_parts=literal_parts(self.body_regex or ""),
            host=self.host_header,
        )


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """Everything about one load balancer but the health of its nodes."""

    id: int
    name: str
    protocol: str
    port: int
    algorithm: Algorithm
    timeout: int
    virtual_ip: VirtualIp
    status: Status
    created: datetime
    updated: datetime
    half_closed: bool = False
    nodes: tuple[Node, ...] = ()
    monitor: Monitor | None = None
    persistence: Persistence | None = None
    metadata: tuple[Meta, ...] = field(default=())

    @property
    def frontend_name(self) -> str:
        """Its name at the proxy, unlike that of any other."""
        return f"clb-{self.id}"

    def node(self, node_id: int) -> Node | None:
        """Find a node."""
        return next((node for node in self.nodes if node.id == node_id), None)

    def with_node(self, changed: Node) -> "LoadBalancer":
        """Put a changed node in the place of the one with its id."""
        return replace(self, nodes=tuple(changed if node.id == changed.id else node for node in self.nodes))

    def without_nodes(self, node_ids: set[int]) -> "LoadBalancer":
        """Take nodes out."""
        return replace(self, nodes=tuple(node for node in self.nodes if node.id not in node_ids))

    def as_frontend(self) -> Frontend:
        """Say the same to the proxy; all protocols but HTTP are bytes passed through."""
        return Frontend(
            name=self.frontend_name,
            listens=Endpoint(address=self.virtual_ip.address, port=self.port),
            traffic=Traffic.HTTP if self.protocol == "HTTP" else Traffic.TCP,
            algorithm=self.algorithm,
            idle_seconds=self.timeout,
            backends=tuple(node.as_backend() for node in self.nodes),
            probe=self.monitor.as_probe() if self.monitor else None,
            stickiness=STICKINESS[self.persistence] if self.persistence else None,
        )
