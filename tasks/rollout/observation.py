"""What was seen: the facts that steps give, and the observation that they add up to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from tasks.errors import HostError
from tasks.rollout.model import LoadBalancer, Server


@dataclass(frozen=True, kw_only=True)
class Gone:
    """Fact: the server does not exist any more."""

    server_id: str


@dataclass(frozen=True, kw_only=True)
class BuildDied:
    """Fact: a build for this slot failed and had to be replaced."""

    slot: int


@dataclass(frozen=True, kw_only=True)
class Distrusted:
    """Fact: a server is not to be used.

    Something that may not be the server answers at its address, and nobody has logged in; or the connection was lost
    during a stage, and nobody knows what still runs there.
    """

    server_id: str
    error: HostError


@dataclass(frozen=True, kw_only=True)
class Drained:
    """Fact: no established connection was left on the server's node port, or the drain limit passed.

    `cut` counts the connections that were still open then; None when they could not be counted.
    """

    server_id: str
    cut: int | None


@dataclass(frozen=True, kw_only=True)
class Held:
    """Fact: this run holds the claim, and this is what else was there when it was taken.

    :param generation: the run's own, which this says nothing about.
    """

    generation: str
    others: tuple[Server, ...]
    balancers: tuple[LoadBalancer, ...]


class Moment(StrEnum):
    """When a server was probed: an old one before the migrations ran, or after; a new one when it was in rotation."""

    BEFORE = "before"
    AFTER = "after"
    ROTATED = "rotated"


@dataclass(frozen=True, kw_only=True)
class Probed:
    """Fact: a server was asked for its check; `problem` is empty when it answered as expected."""

    server_id: str
    moment: Moment
    problem: str


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Fact: that many new servers were in rotation and have proved themselves."""

    count: int


class Hook(StrEnum):
    """When a command of the operator's is run, as the settings name it."""

    BEFORE_DEPLOY = "before_deploy"
    BEFORE_ROTATE = "before_rotate"
    AFTER_ROTATE = "after_rotate"
    AFTER_DEPLOY = "after_deploy"
    ON_FAILURE = "on_failure"


@dataclass(frozen=True, kw_only=True)
class HookRan:
    """Fact: the operator's own command was run, and the rollout may go on."""

    hook: Hook


Fact = Server | LoadBalancer | Gone | BuildDied | Distrusted | Drained | Held | Probed | Watched | HookRan


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was seen: our servers, the load balancers of our listeners, and what this run found out about them.

    A server that failed and was kept for somebody to look at is among `kept`, not among `servers`: no deploy counts it,
    uses it or takes it away.

    :param held: this run holds the claim.
    :param probes: what old servers answered, by server id and moment; empty where it was as expected.
    :param proven: how many new servers have been in rotation and passed the watch.
    :param hooked: which of the operator's own commands this run has run.
    """

    servers: tuple[Server, ...] = ()
    kept: tuple[Server, ...] = ()
    balancers: tuple[LoadBalancer, ...] = ()
    drained: frozenset[str] = frozenset()
    died: Mapping[int, int] = field(default_factory=dict)
    distrusted: Mapping[str, HostError] = field(default_factory=dict)
    held: bool = False
    probes: Mapping[tuple[str, Moment], str] = field(default_factory=dict)
    proven: int = 0
    hooked: frozenset[Hook] = frozenset()

    @classmethod
    def of(cls, servers: Iterable[Server], balancers: tuple[LoadBalancer, ...]) -> Observation:
        """Give what a look at the whole cloud tells."""
        listed = tuple(servers)
        return cls(servers=_in_use(listed), kept=tuple(one for one in listed if one.labels.kept), balancers=balancers)

    @property
    def everyone(self) -> tuple[Server, ...]:
        """All servers, those that were kept among them."""
        return (*self.servers, *self.kept)

    def server(self, server_id: str) -> Server | None:
        """Find a server by id."""
        return self._servers_by_id.get(server_id)

    def balancer(self, name: str) -> LoadBalancer | None:
        """Find the load balancer of a listener, by the listener's name."""
        return next((balancer for balancer in self.balancers if balancer.name == name), None)

    def generations(self) -> tuple[str, ...]:
        """Give the generations that have servers, newest first: their names begin with the time."""
        return tuple(sorted(self._servers_by_generation, reverse=True))

    def generation(self, generation: str) -> tuple[Server, ...]:
        """Give the servers of one generation, by slot."""
        return self._servers_by_generation.get(generation, ())

    @cached_property
    def known_addresses(self) -> frozenset[str]:
        """The addresses that any load balancer has nodes at."""
        return frozenset().union(*(balancer.addresses for balancer in self.balancers))

    @cached_property
    def enabled_addresses(self) -> frozenset[str]:
        """The addresses that any load balancer may send new requests to."""
        return frozenset().union(*(balancer.enabled_addresses for balancer in self.balancers))

    def updated(self, *facts: Fact) -> Observation:
        """Give the observation with what was seen since."""
        seen = self
        for fact in facts:
            seen = seen._with(fact)
        return seen

    def _with(self, fact: Fact) -> Observation:  # noqa: C901, PLR0911  one case a kind
        match fact:
            case Server():
                return self._with_server(fact)
            case LoadBalancer():
                others = tuple(balancer for balancer in self.balancers if balancer.id != fact.id)
                return replace(self, balancers=(*others, fact))
            case Gone():
                gone = fact.server_id
                return replace(self, servers=_without(gone, self.servers), kept=_without(gone, self.kept))
            case BuildDied():
                return replace(self, died={**self.died, fact.slot: self.died.get(fact.slot, 0) + 1})
            case Distrusted():
                return replace(self, distrusted={**self.distrusted, fact.server_id: fact.error})
            case Drained():
                return replace(self, drained=self.drained | {fact.server_id})
            case Held():
                servers = (*self.generation(fact.generation), *_in_use(fact.others))
                return replace(self, held=True, servers=servers, balancers=fact.balancers)
            case Probed():
                return replace(self, probes={**self.probes, (fact.server_id, fact.moment): fact.problem})
            case Watched():
                return replace(self, proven=max(self.proven, fact.count))
            case HookRan():
                return replace(self, hooked=self.hooked | {fact.hook})

    def _with_server(self, server: Server) -> Observation:
        servers, kept = _without(server.id, self.servers), _without(server.id, self.kept)
        if server.labels.kept:
            return replace(self, servers=servers, kept=(*kept, server))
        return replace(self, servers=(*servers, server), kept=kept)

    @cached_property
    def _servers_by_id(self) -> Mapping[str, Server]:
        return {server.id: server for server in self.everyone}

    @cached_property
    def _servers_by_generation(self) -> Mapping[str, tuple[Server, ...]]:
        found = defaultdict(list)
        for server in sorted(self.servers, key=lambda server: server.labels.slot):
            found[server.labels.generation].append(server)
        return {generation: tuple(servers) for generation, servers in found.items()}


def _without(server_id: str, servers: tuple[Server, ...]) -> tuple[Server, ...]:
    return tuple(server for server in servers if server.id != server_id)


def _in_use(servers: tuple[Server, ...]) -> tuple[Server, ...]:
    return tuple(server for server in servers if not server.labels.kept)
