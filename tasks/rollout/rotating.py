"""The rotation: new servers into the load balancers, old ones out, in batches. Pure, as all planning is.

- Nothing begins before the claim is ours.
- A batch is as large as the settings say, and no larger than there are ready servers and free nodes.
- The old servers leave when every new one is ONLINE on every listener. Where the new ones do not all fit beside them
  (a node limit, a quota), as many old ones leave after each batch as there are more than at the start.
- What leaves is drained on every load balancer before it is removed from the first, and nothing is removed before the
  batch has passed its watch: until then old nodes can be put back by one change.
- The operator's own commands are run before anything is changed, and when only new servers get requests.
- A server is deleted, or parked, when no load balancer knows it any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tasks.rollout.goal import Goal
from tasks.rollout.labels import Phase
from tasks.rollout.model import BalancerStatus, Condition, Listener, LoadBalancer, NodeStatus, Server, ServerStatus
from tasks.rollout.observation import Hook, Moment, Observation
from tasks.rollout.steps import (
    AddNodes,
    AwaitDrained,
    AwaitOnline,
    CreateBalancer,
    GiveUpRoom,
    MarkServing,
    Park,
    ProbeNew,
    RemoveNodes,
    RetireServer,
    RunHook,
    Seal,
    SetCondition,
    Step,
    TakeClaim,
    Watch,
)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The new servers that are to be in rotation now, and how many the settings would have there."""

    servers: tuple[Server, ...]
    target: int

    @property
    def is_short(self) -> bool:
        """Say whether there is no room for all that are wanted."""
        return len(self.servers) < self.target


def rotation(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give the steps that put the generation into rotation, and every other server that served out of it and away."""
    claim = take_claim(seen)
    if claim:
        return claim
    batch = _batch(goal, seen)
    bag = _change(goal, seen, batch)
    if bag and _is_due(Hook.BEFORE_ROTATE, goal, seen):
        return frozenset({RunHook(hook=Hook.BEFORE_ROTATE)})
    if _is_due(Hook.AFTER_ROTATE, goal, seen) and _has_rotated(goal, seen, batch):
        return bag | {RunHook(hook=Hook.AFTER_ROTATE)}
    return bag


def _change(goal: Goal, seen: Observation, batch: Batch) -> frozenset[Step]:
    wanted = addresses_of(batch.servers)
    inward = frozenset(step for listener in goal.listeners for step in _bring_in(listener, wanted, goal, seen))
    if inward:
        return inward
    alone = not any(is_known(server, seen) for server in others(goal, seen))
    marks = (one for one in batch.servers if not one.phase.reached(Phase.SERVING) or (one.labels.parked and alone))
    return frozenset({*(MarkServing(server_id=server.id) for server in marks), *_onward(goal, seen, batch)})


def _is_due(hook: Hook, goal: Goal, seen: Observation) -> bool:
    return hook in goal.hooks and hook not in seen.hooked


def _has_rotated(goal: Goal, seen: Observation, batch: Batch) -> bool:
    """Say whether every new server is in and has proved itself, and no other one of ours gets new requests."""
    wanted = addresses_of(batch.servers)
    comes = any(step for listener in goal.listeners for step in _bring_in(listener, wanted, goal, seen))
    alone = not any(is_sent_to(server, seen) for server in others(goal, seen))
    return len(batch.servers) == goal.count and not comes and alone and _is_proven(goal, seen, batch)


def _is_proven(goal: Goal, seen: Observation, batch: Batch) -> bool:
    return not goal.pace.is_watched or seen.proven >= len(batch.servers)


def take_claim(seen: Observation) -> frozenset[Step]:
    """Give the step that takes the claim, unless it is ours; none while there is no server whose metadata can carry it.

    Nova takes no metadata for a server that is being built.
    """
    active = (server for server in seen.servers if server.status is ServerStatus.ACTIVE)
    able = [server for server in active if server.id not in seen.distrusted]
    if seen.held or not able:
        return frozenset()
    carrier = min(able, key=lambda server: (not is_sent_to(server, seen), server.labels.slot, server.id))
    return frozenset({TakeClaim(server_id=carrier.id)})


def take_out(
    servers: Iterable[Server], seen: Observation, *, parks: Callable[[Server], bool] = lambda _: False
) -> Iterator[Step]:
    """Give the steps that drain, remove and retire these servers; those that `parks` are parked instead.

    A node is removed only after its server has been drained on every load balancer, because a connection does not tell
    through which one it came. A server that no load balancer ever knew is deleted at once.
    """
    servers = tuple(servers)
    held = [server for server in servers if is_known(server, seen)]
    idle = (server for server in servers if not is_known(server, seen))
    yield from (_away(server, parks) for server in idle if not (parks(server) and server.labels.parked))
    yield from set_draining(held, seen)
    resting = [server for server in held if not is_sent_to(server, seen)]
    waits = tuple(await_drained(resting, seen))
    yield from waits
    for balancer in seen.balancers:
        leave = [server for server in resting if balancer.nodes_of(server)]
        drains = any(balancer.sends_to(server) for server in held)
        if leave and not waits and not drains:
            yield RemoveNodes(balancer=balancer.name, addresses=addresses_of(leave))


def set_draining(servers: Iterable[Server], seen: Observation) -> Iterator[Step]:
    """Give the steps by which no load balancer sends new requests to these servers."""
    for balancer in seen.balancers:
        enabled = [server for server in servers if balancer.sends_to(server)]
        if enabled:
            yield SetCondition(balancer=balancer.name, addresses=addresses_of(enabled), condition=Condition.DRAINING)


def await_drained(servers: Iterable[Server], seen: Observation) -> Iterator[Step]:
    """Give the steps that wait for the last connections of servers that get no new requests."""
    return (AwaitDrained(server_id=server.id) for server in servers if server.id not in seen.drained)


def spared(servers: Iterable[Server], goal: Goal, seen: Observation) -> Iterator[Server]:
    """Give those that can leave, and no load balancer gets answers from fewer than it must.

    Those that have begun to leave come first: a load balancer may have been told already.
    """
    counted = Counter(one.name for one in seen.balancers for server in seen.servers if _answers(server, one))
    beyond = {one.name: counted[one.name] - goal.bounds.floors.get(one.name, 0) for one in seen.balancers}
    for server in sorted(servers, key=lambda one: (not _is_leaving(one, seen), one.generation, one.labels.slot)):
        places = [one.name for one in seen.balancers if _answers(server, one)]
        if all(beyond[name] > 0 for name in places):
            beyond |= {name: beyond[name] - 1 for name in places}
            yield server


def others(goal: Goal, seen: Observation) -> tuple[Server, ...]:
    """Give the servers that have to go: of older generations, or in rotation, or taken out of it by this run.

    Newer ones that serve nothing are not ours to judge.
    """
    rest = (server for server in seen.servers if server.generation != goal.generation)
    had_their_time = max(goal.generation, goal.bounds.before)
    return tuple(
        server
        for server in rest
        if is_known(server, seen) or server.id in seen.drained or server.generation < had_their_time
    )


def is_known(server: Server, seen: Observation) -> bool:
    """Say whether any load balancer has a node of a server."""
    return server.private_ip in seen.known_addresses


def is_sent_to(server: Server, seen: Observation) -> bool:
    """Say whether new requests may go to a server."""
    return server.private_ip in seen.enabled_addresses


def addresses_of(servers: Iterable[Server]) -> frozenset[str]:
    """Give the private IPs of those servers that have one."""
    return frozenset(server.private_ip for server in servers if server.private_ip)


def _away(server: Server, parks: Callable[[Server], bool]) -> Step:
    return Park(server_id=server.id) if parks(server) else RetireServer(server_id=server.id)


def _batch(goal: Goal, seen: Observation) -> Batch:
    generation = seen.generation(goal.generation)
    ready = [one for one in generation if one.status is ServerStatus.ACTIVE and one.phase.reached(Phase.READY)]
    ready.sort(key=lambda server: not is_sent_to(server, seen))  # those that are in stay in
    target = goal.pace.target(seen.proven, goal.count)
    return Batch(servers=tuple(ready[: min(target, _fitting(ready, goal, seen))]), target=target)


def _fitting(ready: list[Server], goal: Goal, seen: Observation) -> int:
    """Give how many new servers the load balancers have nodes for, old ones counted."""
    if goal.bounds.nodes is None:
        return len(ready)
    inside = (sum(1 for server in ready if balancer.nodes_of(server)) for balancer in seen.balancers)
    free = (goal.bounds.nodes - len(balancer.nodes) for balancer in seen.balancers)
    return max(0, min((mine + more for mine, more in zip(inside, free, strict=True)), default=goal.bounds.nodes))


def _bring_in(listener: Listener, wanted: frozenset[str], goal: Goal, seen: Observation) -> Iterator[Step]:
    balancer = seen.balancer(listener.name)
    first = next(filter(None, (seen.balancer(other.name) for other in goal.listeners)), None)
    if balancer is None:
        if first or listener is goal.listeners[0]:
            yield CreateBalancer(listener=listener, share_with=first.name if first else None)
        return
    nodes = {address: balancer.node_at(address, listener.node_port) for address in wanted}
    missing = frozenset(address for address, node in nodes.items() if node is None)
    resting = frozenset(a for a, node in nodes.items() if node and node.condition is not Condition.ENABLED)
    offline = frozenset(a for a, node in nodes.items() if node and node.status is not NodeStatus.ONLINE)
    if missing:
        yield AddNodes(balancer=balancer.name, addresses=missing, port=listener.node_port)
    elif resting:
        yield SetCondition(balancer=balancer.name, addresses=resting, condition=Condition.ENABLED)
    elif offline or balancer.status is not BalancerStatus.ACTIVE:
        yield AwaitOnline(balancer=balancer.name, addresses=wanted)


def _onward(goal: Goal, seen: Observation, batch: Batch) -> Iterator[Step]:
    """Give what follows when a batch is ONLINE everywhere."""
    size = len(batch.servers)
    leaving = _leaving(goal, seen, batch)
    unproved = [one for one in batch.servers if (one.id, Moment.ROTATED) not in seen.probes]
    if unproved and any(is_sent_to(server, seen) for server in leaving):
        yield from (ProbeNew(server_id=server.id) for server in unproved)
        return
    if not _is_proven(goal, seen, batch):
        draining = tuple(set_draining(leaving, seen))
        resting = (server for server in leaving if is_known(server, seen))
        yield from draining or (Watch(count=size), *await_drained(resting, seen))
    elif size == goal.count:
        yield from take_out(leaving, seen, parks=lambda server: _is_parked(server, goal, seen))
        yield from _seals(goal, seen)
    elif leaving:
        yield from take_out(leaving, seen)
    elif batch.is_short:
        yield GiveUpRoom(missing=batch.target - size)


def _leaving(goal: Goal, seen: Observation, batch: Batch) -> tuple[Server, ...]:
    """Give the old servers that leave after this batch: all after the last; of a short one those that can be spared."""
    rest = others(goal, seen)
    if len(batch.servers) == goal.count:
        return rest
    return tuple(spared(rest, goal, seen)) if batch.is_short else ()


def _answers(server: Server, balancer: LoadBalancer) -> bool:
    """Say whether a load balancer sends a server requests, and gets answers as far as it knows."""
    nodes = balancer.nodes_of(server)
    return any(node.condition is Condition.ENABLED and node.status is not NodeStatus.OFFLINE for node in nodes)


def _is_leaving(server: Server, seen: Observation) -> bool:
    nodes = (node for balancer in seen.balancers for node in balancer.nodes_of(server))
    return any(node.condition is not Condition.ENABLED for node in nodes)


def _is_parked(server: Server, goal: Goal, seen: Observation) -> bool:
    """Say whether a server is to be kept for a rollback: it is of what served before, all of which is there, and runs.

    Where some had to make room for new servers, the others are of no use.
    """
    return (
        bool(goal.pace.standby)
        and len(seen.generation(goal.previous.generation)) >= goal.previous.count
        and server.generation == goal.previous.generation
        and server.status is ServerStatus.ACTIVE
        and server.phase is Phase.SERVING
    )


def _seals(goal: Goal, seen: Observation) -> Iterator[Step]:
    """Give the steps that seal the new servers, once no load balancer knows another one: there is no way back then."""
    if goal.seal and not any(is_known(server, seen) for server in others(goal, seen)):
        new = (server for server in seen.generation(goal.generation) if server.phase.reached(Phase.SERVING))
        yield from (Seal(server_id=server.id) for server in new if not server.labels.sealed)
