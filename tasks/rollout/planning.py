"""What a rollout must do next: a pure function of what is wanted and what was seen.

It gives the bag of all steps that are possible now; an empty bag means that the goal is reached. It never looks at a
clock, remembers nothing and calls nobody, so running it again after a crash plans just what is left. The order that
matters is expressed by what a step waits for:

- a server is set up, tested and checked at its own pace;
- the migrations run once, on the leader, before any new server is checked;
- nodes are added when every new server is ready, old ones are drained when every new one is ONLINE on every listener;
- a server is retired when no load balancer knows it any more.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.rollout.goal import Goal
from tasks.rollout.model import BalancerStatus, Condition, Listener, NodeStatus, Phase, Server, ServerStatus
from tasks.rollout.observation import Observation
from tasks.rollout.steps import (
    AddNodes,
    AwaitDrained,
    AwaitOnline,
    Check,
    CreateBalancer,
    CreateServer,
    GiveUp,
    MarkServing,
    Migrate,
    RemoveNodes,
    ReplaceBuild,
    RetireServer,
    Seal,
    SetCondition,
    SetUp,
    Step,
    TestApp,
    WatchBuilds,
)

DEAD = {ServerStatus.ERROR, ServerStatus.DELETED, ServerStatus.SHUTOFF}


def plan(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give everything that can be done now towards the goal."""
    return bring_up(goal, seen) or rotation(goal, seen)


def bring_up(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give the steps that make `count` ready servers; empty when they are ready."""
    there = (server for server in _by_slot(goal, seen).values() if server and not _fault(server, seen))
    active = (server for server in there if server.status is ServerStatus.ACTIVE)
    stages = {step for server in active for step in _next_stage(server, goal, seen)}
    return boot(goal, seen) | stages


def boot(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give the steps that make `count` ACTIVE servers; empty when there are."""
    slots = _by_slot(goal, seen)
    steps = {step for slot, server in slots.items() for step in _toward_active(slot, server, goal, seen)}
    pending = {server.id for server in slots.values() if server and server.status not in {*DEAD, ServerStatus.ACTIVE}}
    if pending:
        steps.add(WatchBuilds(server_ids=frozenset(pending)))
    return frozenset(steps | {RetireServer(server_id=server.id) for server in _doubles(goal, seen)})


def rotation(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give the steps that put the generation into rotation, and every other server that served out of it and away."""
    wanted = frozenset(filter(None, (server.private_ip for server in seen.generation(goal.generation))))
    inward = {step for listener in goal.listeners for step in _bring_in(listener, wanted, goal, seen)}
    if inward:
        return frozenset(inward)
    new = seen.generation(goal.generation)
    marks = {MarkServing(server_id=server.id) for server in new if not server.phase.reached(Phase.SERVING)}
    return frozenset({*marks, *take_out(_others(goal, seen), seen), *_seals(goal, seen)})


def take_out(servers: tuple[Server, ...], seen: Observation) -> Iterator[Step]:
    """Give the steps that drain, remove and retire these servers.

    A node is removed only after its server has been drained on every load balancer, because a connection does not tell
    through which one it came. A server that no load balancer ever knew is deleted at once.
    """
    held = {server for server in servers if any(balancer.nodes_of(server) for balancer in seen.balancers)}
    yield from (RetireServer(server_id=server.id) for server in servers if server not in held)
    enabled = {server for server in held if any(balancer.sends_to(server) for balancer in seen.balancers)}
    waiting = {server for server in held - enabled if server.id not in seen.drained}
    yield from (AwaitDrained(server_id=server.id) for server in waiting)
    for balancer in seen.balancers:
        drain = {server for server in enabled if balancer.sends_to(server)}
        leave = {server for server in held - enabled if balancer.nodes_of(server)}
        if drain:
            yield SetCondition(balancer=balancer.name, addresses=addresses_of(drain), condition=Condition.DRAINING)
        elif leave and not waiting:
            yield RemoveNodes(balancer=balancer.name, addresses=addresses_of(leave))


def _toward_active(slot: int, server: Server | None, goal: Goal, seen: Observation) -> Iterator[Step]:
    died = seen.died.get(slot, 0)
    fault = _fault(server, seen) if server else ""
    if server is None:
        yield CreateServer(slot=slot)
    elif fault and died + 1 >= goal.build_attempts:
        yield GiveUp(slot=slot, fault=fault)
    elif fault:
        yield ReplaceBuild(server_id=server.id, slot=slot)


def _fault(server: Server, seen: Observation) -> str:
    """Say why a server is of no use and has to be replaced; empty when it is not."""
    if server.id in seen.distrusted:
        return seen.distrusted[server.id].problem
    return (server.fault or f"status {server.status}") if server.status in DEAD else ""


def _next_stage(server: Server, goal: Goal, seen: Observation) -> Iterator[Step]:
    migrated = any(other.labels.migrated for other in seen.generation(goal.generation))
    match server.phase:
        case Phase.BOOTING:
            yield SetUp(server_id=server.id)
        case Phase.SET_UP if server.labels.slot == 1 and not migrated:
            yield Migrate(server_id=server.id)
        case Phase.SET_UP:
            yield TestApp(server_id=server.id)
        case Phase.TESTED if migrated:
            yield Check(server_id=server.id)


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


def _seals(goal: Goal, seen: Observation) -> Iterator[Step]:
    """Give the steps that seal the new servers, once no load balancer knows another one: there is no way back then."""
    others = _others(goal, seen)
    if goal.seal and not any(balancer.nodes_of(server) for server in others for balancer in seen.balancers):
        new = (server for server in seen.generation(goal.generation) if server.phase.reached(Phase.SERVING))
        yield from (Seal(server_id=server.id) for server in new if not server.labels.sealed)


def _by_slot(goal: Goal, seen: Observation) -> dict[int, Server | None]:
    """Give the server of every slot that the goal has; the first one, should there be two."""
    found = {server.labels.slot: server for server in reversed(seen.generation(goal.generation))}
    return {slot: found.get(slot) for slot in range(1, goal.count + 1)}


def _doubles(goal: Goal, seen: Observation) -> tuple[Server, ...]:
    """Give the servers of a slot beyond its first: a create whose answer was lost may have made two."""
    kept = set(_by_slot(goal, seen).values())
    return tuple(server for server in seen.generation(goal.generation) if server not in kept)


def _others(goal: Goal, seen: Observation) -> tuple[Server, ...]:
    """Give the servers that have to go: of older generations, or in rotation, or taken out of it by this run.

    Newer ones that serve nothing are not ours to judge: somebody may be bringing them up just now.
    """
    others = (server for server in seen.servers if server.labels.generation != goal.generation)
    return tuple(server for server in others if server.labels.generation < goal.generation or _was_in(server, seen))


def _was_in(server: Server, seen: Observation) -> bool:
    return server.id in seen.drained or any(balancer.nodes_of(server) for balancer in seen.balancers)


def addresses_of(servers: set[Server]) -> frozenset[str]:
    """Give the private IPs of those servers that have one."""
    return frozenset(server.private_ip for server in servers if server.private_ip)
