"""What the verbs begin with: the claim, what is live, the bounds that were found, and which servers are well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tasks.errors import Claimed, ClaimLost, NotFound
from tasks.rollout.claiming import Claimant
from tasks.rollout.goal import Bounds, Goal
from tasks.rollout.guard import Stakes
from tasks.rollout.model import Server
from tasks.rollout.observation import Moment, Observation
from tasks.rollout.resuming import live_beside, predecessor
from tasks.rollout.reverting import Live, in_rotation
from tasks.rollout.rotating import take_claim
from tasks.rollout.site import Site
from tasks.rollout.steps import ProbeOld


def in_turn(site: Site, act: Callable[[], Observation]) -> Observation:
    """Do something that takes the claim; with `wait`, once more whenever somebody else was before us in the queue.

    :raises Claimed: somebody else is at work, or was faster, and there is no more time to wait.
    """
    deadline = site.clock.now() + site.wait
    while True:
        try:
            return act()
        except ClaimLost:
            raise
        except Claimed as before_us:
            if site.clock.now() >= deadline:
                raise
            site.say(f"waiting for another turn: {before_us.problem}")


def taken(goal: Goal, seen: Observation, site: Site, claim: Claimant) -> Observation:
    """Take the claim, if there is a server that can carry it, and look again: others may have been at work."""
    loop = site.loop(goal, seen, Stakes(generation=goal.generation, claim=claim))
    loop.pursue(take_claim)
    return loop.seen


def bounded(goal: Goal, seen: Observation, site: Site, *, before: str = "") -> tuple[Goal, Live]:
    """Give the goal with what was found when it was begun, and what is live then.

    :param before: generations older than this one have had their time; without it, those older than the goal's.
    """
    live = live_beside(goal, seen)
    room = _room(site)
    bounds = Bounds(
        floors=in_rotation(seen).floors(goal.count),
        servers=None if room is None else len(seen.servers) + room,
        nodes=site.balancers.node_limit(),
        before=before or goal.generation,
    )
    return replace(goal, bounds=bounds, previous=predecessor(goal, seen, live)), live


def _room(site: Site) -> int | None:
    """Give how many more servers the quotas allow; None also when there is no such flavor, which preflight says."""
    try:
        return site.compute.room()
    except NotFound:
        return None


def well(servers: tuple[Server, ...], goal: Goal, seen: Observation, site: Site) -> tuple[Server, ...]:
    """Give those of these servers whose app answers its check now; say which do not."""
    loop = site.loop(goal, seen, Stakes())
    loop.perform(frozenset(ProbeOld(server_id=server.id, moment=Moment.BEFORE) for server in servers))
    problems = {server: loop.seen.probes[server.id, Moment.BEFORE] for server in servers}
    for server, problem in problems.items():
        if problem:
            site.say(f"{server.name} is not well: {problem}")
    return tuple(server for server, problem in problems.items() if not problem)
