"""The values that the rollout thinks in: servers, load balancers, nodes, and what is wanted.

Nothing here knows an API. What a cloud says is turned into these values at the edge; a status that we do not know
becomes UNKNOWN, not a crash.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from tasks.rollout.claims import Claim
from tasks.rollout.labels import Labels, Phase


class ServerStatus(StrEnum):
    """What Nova says of a server, as far as it matters here."""

    BUILD = "BUILD"
    ACTIVE = "ACTIVE"
    REBOOT = "REBOOT"
    SHUTOFF = "SHUTOFF"
    ERROR = "ERROR"
    DELETING = "DELETING"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"


class Condition(StrEnum):
    """What we tell a load balancer to do with a node."""

    ENABLED = "ENABLED"
    DRAINING = "DRAINING"
    DISABLED = "DISABLED"


class NodeStatus(StrEnum):
    """What a load balancer finds out about a node."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    UNKNOWN = "UNKNOWN"


class BalancerStatus(StrEnum):
    """Whether a load balancer takes changes."""

    ACTIVE = "ACTIVE"
    PENDING = "PENDING"
    ERROR = "ERROR"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True)
class Server:
    """One of our servers, as the cloud describes it.

    :param updated: when its status last changed, as far as the cloud tells.
    :param claims: those that its metadata carries.
    """

    id: str
    name: str
    status: ServerStatus
    private_ip: str | None
    created: datetime
    labels: Labels
    fault: str = ""
    updated: datetime | None = None
    claims: tuple[Claim, ...] = ()

    @property
    def phase(self) -> Phase:
        """How far it has come."""
        return self.labels.phase

    @property
    def parked_until(self) -> datetime | None:
        """When its time for a rollback ends; None when it is not parked, or without such a time."""
        return _time(self.labels.parked)

    @property
    def kept_until(self) -> datetime | None:
        """When a server that failed is of no more use to anybody; None when it is not kept, or without such a time."""
        return _time(self.labels.kept)

    @property
    def generation(self) -> str:
        """Which deploy has made it."""
        return self.labels.generation

    def passed(self, phase: Phase) -> Server:
        """Give the server after the stage that leads to `phase`: it gets there only from the phase before.

        So a stage that is run by hand on a server that is further on, or not as far, changes nothing.
        """
        return replace(self, labels=replace(self.labels, phase=phase)) if self.phase.next is phase else self


def _time(written: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(written)
    except ValueError:
        return None
    return time if time.tzinfo else None


@dataclass(frozen=True, kw_only=True)
class ServerRequest:
    """A server to be created. `claims` are written to its metadata from the first moment on."""

    name: str
    labels: Labels
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Spare:
    """A keypair or an image of ours that no server uses. `created` is None where the cloud does not tell."""

    kind: str
    id: str
    name: str
    created: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Node:
    """An address and port as a load balancer knows it."""

    id: str
    address: str
    port: int
    condition: Condition
    status: NodeStatus
    weight: int = 1


@dataclass(frozen=True, kw_only=True)
class VirtualIp:
    """An address at which a load balancer listens."""

    id: str
    address: str


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """A load balancer that listens on one port and spreads requests over nodes. One per listener of ours."""

    id: str
    name: str
    virtual_ips: tuple[VirtualIp, ...]
    port: int
    protocol: str
    status: BalancerStatus
    nodes: tuple[Node, ...] = ()

    def node_at(self, address: str | None, port: int) -> Node | None:
        """Find the node with that address and port."""
        return next((node for node in self._nodes_by_address.get(address, ()) if node.port == port), None)

    def nodes_of(self, server: Server) -> tuple[Node, ...]:
        """Give a server's nodes, whatever their port: settings may have changed since they were added."""
        return self._nodes_by_address.get(server.private_ip, ())

    def sends_to(self, server: Server) -> bool:
        """Say whether new requests may go to a server."""
        return server.private_ip in self.enabled_addresses

    @cached_property
    def addresses(self) -> frozenset[str]:
        """The addresses that it has nodes at."""
        return frozenset(node.address for node in self.nodes)

    @cached_property
    def enabled_addresses(self) -> frozenset[str]:
        """The addresses that new requests may go to."""
        return frozenset(node.address for node in self.nodes if node.condition is Condition.ENABLED)

    @cached_property
    def _nodes_by_address(self) -> Mapping[str | None, tuple[Node, ...]]:
        found: dict[str | None, tuple[Node, ...]] = defaultdict(tuple)
        for node in self.nodes:
            found[node.address] += (node,)
        return found


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A port that users connect to; `name` is the load balancer's name in the cloud."""

    name: str
    port: int
    protocol: str
    node_port: int
