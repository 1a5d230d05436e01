"""What a rollout must do next: a pure function of what is wanted and what was seen.

It gives the bag of all steps that are possible now; an empty bag means that the goal is reached. It never looks at a
clock, remembers nothing and calls nobody, so running it again after a crash plans just what is left. The order that
matters is expressed by what a step waits for:

- a server is set up, tested and checked at its own pace;
- the migrations run once, on the leader, when the claim is ours; no new server is checked before they ran and the old
  servers were found to be well with them;
- what follows when all servers that there is room for are ready is in `rotating`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.rollout.goal import Goal
from tasks.rollout.labels import Phase
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Observation
from tasks.rollout.rotating import rotation, take_claim
from tasks.rollout.slots import DEAD, Slots
from tasks.rollout.steps import (
    Check,
    CreateServer,
    GiveUp,
    Migrate,
    ProbeOld,
    ReplaceBuild,
    RetireServer,
    SetUp,
    Step,
    TestApp,
    WatchBuilds,
)


def plan(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give everything that can be done now towards the goal."""
    return bring_up(goal, seen) or rotation(goal, seen)


def bring_up(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give the steps that make ready servers, as many as there is room for; empty when they are ready."""
    slots = Slots(goal=goal, seen=seen)
    there = [server for server in slots.servers.values() if server and not slots.fault(server)]
    active = [server for server in there if server.status is ServerStatus.ACTIVE]
    stages = {step for server in active for step in _next_stage(server, slots)}
    coming_up = _boot(slots) | stages
    if all(server.phase.reached(Phase.READY) for server in there) and not coming_up:
        return frozenset()
    probes = (ProbeOld(server_id=server.id, moment=slots.moment) for server in slots.unprobed)
    return coming_up | take_claim(seen) | frozenset(probes)


def boot(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give the steps that make ACTIVE servers, as many as there is room for; empty when there are."""
    return _boot(Slots(goal=goal, seen=seen))


def is_migrated(goal: Goal, seen: Observation) -> bool:
    """Say whether the migrations ran."""
    return Slots(goal=goal, seen=seen).is_migrated


def _boot(slots: Slots) -> frozenset[Step]:
    steps = {step for slot, server in slots.servers.items() for step in _toward_active(slot, server, slots)}
    there = (server for server in slots.servers.values() if server)
    pending = frozenset(one.id for one in there if one.status not in DEAD and one.status is not ServerStatus.ACTIVE)
    if pending:
        steps.add(WatchBuilds(server_ids=pending))
    return frozenset(steps | {RetireServer(server_id=server.id) for server in slots.doubles})


def _toward_active(slot: int, server: Server | None, slots: Slots) -> Iterator[Step]:
    fault = slots.fault(server) if server else ""
    if server is None:
        yield CreateServer(slot=slot)
    elif fault and slots.seen.died.get(slot, 0) + 1 >= slots.goal.build_attempts:
        yield GiveUp(slot=slot, fault=fault)
    elif fault:
        yield ReplaceBuild(server_id=server.id, slot=slot)


def _next_stage(server: Server, slots: Slots) -> Iterator[Step]:
    match server.phase:
        case Phase.BOOTING:
            yield SetUp(server_id=server.id)
        case Phase.SET_UP | Phase.TESTED if server.labels.slot == slots.leading and not slots.is_migrated:
            if slots.seen.held and not slots.unprobed:
                yield Migrate(server_id=server.id)
        case Phase.SET_UP:
            yield TestApp(server_id=server.id)
        case Phase.TESTED if slots.is_migrated and not slots.unprobed:
            yield Check(server_id=server.id)
