"""What is to be done after a failure: also a pure function of what was seen, and as safe to repeat as planning.

First every server that served when the deploy began is back in rotation; only then do the new ones leave it, and only
when no load balancer knows a new server is it deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tasks.rollout.goal import Goal
from tasks.rollout.model import Condition, LoadBalancer, Phase, Server
from tasks.rollout.observation import Observation
from tasks.rollout.planning import addresses_of, take_out
from tasks.rollout.steps import AddNodes, SetCondition, Step


class Place(NamedTuple):
    """A server in rotation on a load balancer."""

    server_id: str
    balancer: str


def in_rotation(seen: Observation) -> frozenset[Place]:
    """Give every place at which a server of ours gets new requests: what is live, frozen when a deploy begins."""
    pairs = ((server, balancer) for server in seen.servers for balancer in seen.balancers)
    return frozenset(Place(server.id, balancer.name) for server, balancer in pairs if balancer.sends_to(server))


def revert(goal: Goal, seen: Observation, live: frozenset[Place]) -> frozenset[Step]:
    """Give everything that can be done now to undo a rollout that began with `live`."""
    restored = frozenset(step for balancer in seen.balancers for step in _restore(balancer, goal, seen, live))
    return restored or frozenset(take_out(seen.generation(goal.generation), seen))


def has_begun(goal: Goal, seen: Observation) -> bool:
    """Say whether the rotation has begun: a load balancer knows a server of the new generation."""
    new = seen.generation(goal.generation)
    return any(balancer.nodes_of(server) for balancer in seen.balancers for server in new)


def is_past_return(goal: Goal, seen: Observation, live: frozenset[Place]) -> bool:
    """Say whether the new servers are the ones that serve: an old node has left, and none does before they are ONLINE.

    Where nothing served, it is when all new ones are marked. From then on a failure is not undone: what is left to do
    is to take the remaining old servers out, and to seal the new ones.
    """
    all_marked = all(server.phase.reached(Phase.SERVING) for server in seen.generation(goal.generation))
    return has_begun(goal, seen) and (any(not _is_held(place, seen) for place in live) if live else all_marked)


def _is_held(place: Place, seen: Observation) -> bool:
    server, balancer = seen.server(place.server_id), seen.balancer(place.balancer)
    return bool(server and balancer and balancer.nodes_of(server))


def _restore(balancer: LoadBalancer, goal: Goal, seen: Observation, live: frozenset[Place]) -> Iterator[Step]:
    old: set[Server] = {server for server in seen.servers if Place(server.id, balancer.name) in live}
    missing = {server for server in old if not balancer.nodes_of(server)}
    resting = {server for server in old - missing if not balancer.sends_to(server)}
    if missing:
        port = next(listener.node_port for listener in goal.listeners if listener.name == balancer.name)
        yield AddNodes(balancer=balancer.name, addresses=addresses_of(missing), port=port)
    elif resting:
        yield SetCondition(balancer=balancer.name, addresses=addresses_of(resting), condition=Condition.ENABLED)
