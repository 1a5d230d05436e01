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
from datetime import datetime

from tasks.rollout.goal import Goal
from tasks.rollout.model import Phase, Server, ServerStatus
from tasks.rollout.observation import Moment, Observation
from tasks.rollout.rotating import is_known, rotation, take_claim
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

DEAD = {ServerStatus.ERROR, ServerStatus.DELETING, ServerStatus.DELETED, ServerStatus.SHUTOFF}


def plan(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give everything that can be done now towards the goal."""
    return bring_up(goal, seen) or rotation(goal, seen)


def bring_up(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give the steps that make ready servers, as many as there is room for; empty when they are ready."""
    there = [server for server in _by_slot(goal, seen).values() if server and not _fault(server, seen)]
    active = [server for server in there if server.status is ServerStatus.ACTIVE]
    stages = {step for server in active for step in _next_stage(server, goal, seen)}
    coming_up = boot(goal, seen) | stages
    if all(server.phase.reached(Phase.READY) for server in there) and not coming_up:
        return frozenset()
    return coming_up | take_claim(seen) | frozenset(_probes(goal, seen))


def boot(goal: Goal, seen: Observation) -> frozenset[Step]:
    """Give the steps that make ACTIVE servers, as many as there is room for; empty when there are."""
    slots = _by_slot(goal, seen)
    steps = {step for slot, server in slots.items() for step in _toward_active(slot, server, goal, seen)}
    pending = {server.id for server in slots.values() if server and server.status not in {*DEAD, ServerStatus.ACTIVE}}
    if pending:
        steps.add(WatchBuilds(server_ids=frozenset(pending)))
    return frozenset(steps | {RetireServer(server_id=server.id) for server in _doubles(goal, seen)})


def is_migrated(goal: Goal, seen: Observation) -> bool:
    """Say whether the migrations ran: it is written on the leader, and no server gets further without them."""
    return any(one.labels.migrated or one.phase.reached(Phase.READY) for one in seen.generation(goal.generation))


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
    migrated = is_migrated(goal, seen)
    match server.phase:
        case Phase.BOOTING:
            yield SetUp(server_id=server.id)
        case Phase.SET_UP | Phase.TESTED if server.labels.slot == _leading_slot(goal, seen) and not migrated:
            if seen.held and _all_probed(Moment.BEFORE, goal, seen):
                yield Migrate(server_id=server.id)
        case Phase.SET_UP:
            yield TestApp(server_id=server.id)
        case Phase.TESTED if migrated and _all_probed(Moment.AFTER, goal, seen):
            yield Check(server_id=server.id)


def _leading_slot(goal: Goal, seen: Observation) -> int:
    """Give the slot whose server is to migrate: the first that has not been tested yet, since it may be another's turn.

    Where all are tested, the one that had migrated is gone, and it is the first.
    """
    slots = _by_slot(goal, seen)
    waiting = (slot for slot, one in slots.items() if not one or not one.phase.reached(Phase.TESTED))
    return min(waiting, default=min(slots, default=0))


def _probes(goal: Goal, seen: Observation) -> Iterator[Step]:
    moment = Moment.AFTER if is_migrated(goal, seen) else Moment.BEFORE
    for server in _to_probe(moment, goal, seen):
        if (server.id, moment) not in seen.probes:
            yield ProbeOld(server_id=server.id, moment=moment)


def _all_probed(moment: Moment, goal: Goal, seen: Observation) -> bool:
    return all((server.id, moment) in seen.probes for server in _to_probe(moment, goal, seen))


def _to_probe(moment: Moment, goal: Goal, seen: Observation) -> Iterator[Server]:
    """Give the servers that serve now; after the migrations those that were well before them."""
    for server in seen.servers:
        serves = server.generation != goal.generation and any(one.sends_to(server) for one in seen.balancers)
        if serves and (moment is Moment.BEFORE or seen.probes.get((server.id, Moment.BEFORE)) == ""):
            yield server


def _by_slot(goal: Goal, seen: Observation) -> dict[int, Server | None]:
    """Give the server of every slot; the best one, should there be two. Slots that there is no room for are left out.

    What the quota has no room for now is asked for when old servers have made room.
    """
    best_last = sorted(seen.generation(goal.generation), key=lambda server: _worth(server, seen), reverse=True)
    found = {server.labels.slot: server for server in best_last}
    missing = [slot for slot in range(1, goal.count + 1) if slot not in found]
    room = len(missing) if goal.bounds.servers is None else max(0, goal.bounds.servers - len(seen.servers))
    wanted = {*found, *missing[:room]}
    return {slot: found.get(slot) for slot in range(1, goal.count + 1) if slot in wanted}


def _worth(server: Server, seen: Observation) -> tuple[bool, bool, int, datetime, str]:
    """Give what decides between two servers of a slot, the better one first; the same at any time, whoever looks."""
    is_idle, is_useless = not is_known(server, seen), bool(_fault(server, seen))
    return is_idle, is_useless, -list(Phase).index(server.phase), server.created, server.id


def _doubles(goal: Goal, seen: Observation) -> tuple[Server, ...]:
    """Give the servers of a slot beyond its best: a create whose answer was lost may have made two."""
    kept = set(_by_slot(goal, seen).values())
    return tuple(server for server in seen.generation(goal.generation) if server not in kept)
