"""What is to be done after a failure: also a pure function of what was seen, and as safe to repeat as planning.

First every server that served when the deploy began is back in rotation, and those that were ONLINE are so again; only
then do the new ones leave it, and only when no load balancer knows a new server is it deleted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from tasks.rollout.goal import Goal
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition, LoadBalancer, Node, NodeStatus, Server
from tasks.rollout.observation import Moment, Observation
from tasks.rollout.rotating import addresses_of, is_known, is_sent_to, spared, take_out
from tasks.rollout.steps import AddNodes, AwaitOnline, MarkServing, ProbeNew, SetCondition, Step


class Place(NamedTuple):
    """A server in rotation on a load balancer."""

    server_id: str
    balancer: str


@dataclass(frozen=True, kw_only=True)
class Live:
    """Who served when a rollout began, frozen then: the places, and those of them that were well."""

    places: frozenset[Place] = frozenset()
    online: frozenset[Place] = frozenset()

    @property
    def servers(self) -> frozenset[str]:
        """The ids of the servers."""
        return frozenset(place.server_id for place in self.places)

    def floors(self, count: int) -> dict[str, int]:
        """Give how many servers each load balancer has to go on sending requests to, when `count` are wanted."""
        counted = Counter(place.balancer for place in self.online)
        return {name: min(count, number) for name, number in counted.items()}


def in_rotation(seen: Observation) -> Live:
    """Give every place at which a server of ours gets new requests."""
    return _live(seen.servers, seen, lambda node: node.condition is Condition.ENABLED)


def in_place(servers: Iterable[Server], seen: Observation) -> Live:
    """Give every place at which these servers have a node, in whatever condition an interrupted rotation left it."""
    return _live(servers, seen, lambda _: True)


def revert(goal: Goal, seen: Observation, live: Live) -> frozenset[Step]:
    """Give everything that can be done now to undo a rollout that began with `live`.

    Where a load balancer has no free node for an old server, as many new ones leave first as can be spared.
    """
    new = seen.generation(goal.generation)
    restored = frozenset(step for balancer in seen.balancers for step in _restore(balancer, goal, seen, live))
    fitting = frozenset(step for step in restored if not _excess(step, goal, seen))
    if fitting or not restored:
        return fitting or _proofs(new, seen, live) or frozenset({*_unparked(seen, live), *take_out(new, seen)})
    inside = [server for server in new if is_known(server, seen)]
    leaving = islice(spared(inside, goal, seen), max(_excess(step, goal, seen) for step in restored))
    return frozenset(take_out(leaving, seen)) or restored


def _proofs(new: tuple[Server, ...], seen: Observation, live: Live) -> frozenset[Step]:
    """Give the steps that ask the old servers for their check before a new one leaves: they may have died meanwhile."""
    if not any(is_sent_to(server, seen) for server in new):
        return frozenset()
    well = {place.server_id for place in live.online}
    unproved = (one for one in seen.servers if one.id in well and (one.id, Moment.ROTATED) not in seen.probes)
    return frozenset(ProbeNew(server_id=server.id) for server in unproved)


def _unparked(seen: Observation, live: Live) -> Iterator[Step]:
    back = (one for one in seen.servers if one.id in live.servers and one.labels.parked)
    return (MarkServing(server_id=one.id) for one in back)


def has_begun(goal: Goal, seen: Observation) -> bool:
    """Say whether the rotation has begun: a load balancer knows a server of the new generation."""
    new = seen.generation(goal.generation)
    return any(balancer.nodes_of(server) for balancer in seen.balancers for server in new)


def can_return(seen: Observation, live: Live) -> bool:
    """Say whether every server that served when the rollout began is still there."""
    return all(seen.server(server_id) for server_id in live.servers)


def is_complete(goal: Goal, seen: Observation) -> bool:
    """Say whether every new server gets requests from the load balancer of every listener."""
    new = [one for one in seen.generation(goal.generation) if one.phase.reached(Phase.READY)]
    balancers = [seen.balancer(listener.name) for listener in goal.listeners]
    return len(new) >= goal.count and all(lb and lb.sends_to(server) for lb in balancers for server in new)


def is_past_return(goal: Goal, seen: Observation, live: Live) -> bool:
    """Say whether the new servers are the ones that serve: they are all in, and an old node has left.

    Where nothing else served, it is when all new ones are marked, or they served before. From then on a failure is not
    undone: what is left to do is to take the remaining old servers out, and to seal the new ones. Nor can it be undone
    once an old server is gone.
    """
    if not has_begun(goal, seen):
        return False
    if not live.places:
        return any(goal.bounds.floors.values()) or all(
            server.phase.reached(Phase.SERVING) for server in seen.generation(goal.generation)
        )
    left = any(not _is_held(place, seen) for place in live.places)
    return not can_return(seen, live) or (left and is_complete(goal, seen))


def _is_held(place: Place, seen: Observation) -> bool:
    server, balancer = seen.server(place.server_id), seen.balancer(place.balancer)
    return bool(server and balancer and balancer.nodes_of(server))


def _restore(balancer: LoadBalancer, goal: Goal, seen: Observation, live: Live) -> Iterator[Step]:
    old = {server for server in seen.servers if Place(server.id, balancer.name) in live.places}
    missing = {server for server in old if not balancer.nodes_of(server)}
    resting = {server for server in old - missing if not balancer.sends_to(server)}
    well = {server for server in old if Place(server.id, balancer.name) in live.online}
    begun = has_begun(goal, seen)
    if resting:
        yield SetCondition(balancer=balancer.name, addresses=addresses_of(resting), condition=Condition.ENABLED)
    elif missing:
        port = next(listener.node_port for listener in goal.listeners if listener.name == balancer.name)
        yield AddNodes(balancer=balancer.name, addresses=addresses_of(missing), port=port)
    elif begun and not all(_is_online(node) for server in well for node in balancer.nodes_of(server)):
        yield AwaitOnline(balancer=balancer.name, addresses=addresses_of(well))


def _excess(step: Step, goal: Goal, seen: Observation) -> int:
    """Give how many nodes more than it may have a load balancer would get by this step."""
    if goal.bounds.nodes is None or not isinstance(step, AddNodes):
        return 0
    balancer = seen.balancer(step.balancer)
    held = len(balancer.nodes) if balancer else 0
    return max(0, held + len(step.addresses) - goal.bounds.nodes)


def _live(servers: Iterable[Server], seen: Observation, counts: Callable[[Node], bool]) -> Live:
    found = [
        (Place(server.id, balancer.name), node)
        for server in servers
        for balancer in seen.balancers
        for node in balancer.nodes_of(server)
        if counts(node)
    ]
    return Live(
        places=frozenset(place for place, _ in found),
        online=frozenset(place for place, node in found if _is_online(node)),
    )


def _is_online(node: Node) -> bool:
    return node.status is NodeStatus.ONLINE
