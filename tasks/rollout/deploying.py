"""The verbs that bring something new: a whole deploy, a rotation alone, servers alone, a stage alone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tasks.rollout.beginning import bounded, in_turn, taken, well
from tasks.rollout.claiming import Claimant
from tasks.rollout.fleet import names
from tasks.rollout.goal import Goal
from tasks.rollout.guard import Stakes
from tasks.rollout.model import Server
from tasks.rollout.observation import Observation
from tasks.rollout.planning import boot, plan
from tasks.rollout.preflight import preflight, require_marked
from tasks.rollout.resuming import (
    Way,
    interruption,
    is_finished,
    way,
    with_proof,
)
from tasks.rollout.reverting import Live, in_rotation, revert
from tasks.rollout.rollouts import Rollout
from tasks.rollout.rotating import rotation, take_out
from tasks.rollout.site import Site
from tasks.rollout.steps import Check, Migrate, RetireServer, SetUp, Step, TestApp
from tasks.rollout.undoing import undone_if_well

Stage = SetUp | Migrate | TestApp | Check | RetireServer
ALONE = (Migrate, RetireServer)
"""Stages that another operator's deploy would suffer from."""


def deploy(goal: Goal, site: Site) -> Observation:
    """Replace every server by one of the goal's generation, and give what is there afterwards.

    Guarantees: live servers are untouched until every new one is ready and ONLINE on every load balancer. On a failure
    before that, and on Ctrl-C, the new servers are deleted; during the rotation, the old nodes are put back first. An
    interrupted deploy is finished or undone first, see `resuming`.

    :raises Claimed: another deploy is at work, or was before this one; nothing that serves was changed.
    :raises DeployError: what failed, after it was undone. Reverted and Unfinished say how far the rotation had come.
    """
    return in_turn(site, lambda: _deploy(goal, site))


def _deploy(goal: Goal, site: Site) -> Observation:
    seen = site.observe_alone()
    require_marked(seen, site)
    found = interruption(seen, site.dead(seen))
    onward, fresh = way(goal, seen, found), goal.generation
    if found and onward is Way.RESUME:
        goal = replace(goal, generation=found.generation)
    with site.claiming("deploy", goal.generation) as claim:
        if found and onward is Way.RESUME:
            seen = _resume(goal, seen, site, claim)
        elif found and onward is Way.UNDO:
            seen = undone_if_well(found, goal, site, claim)
        goal, live = bounded(goal, seen, site, before=fresh)
        preflight(goal, seen, site)
        rollout = Rollout(goal=goal, site=site, planner=partial(plan, goal), undo=revert, live=live, claim=claim)
        return rollout.run(seen)


def rotate(goal: Goal, site: Site, *, verb: str = "rotate") -> Observation:
    """Put a ready generation into rotation and take all other servers of ours out and away.

    On a failure the old nodes are put back and the new ones taken out; the new servers are kept, so that it can be
    tried again.
    """
    seen = site.observe_alone()
    require_marked(seen, site)
    with site.claiming(verb, goal.generation) as claim:
        seen = taken(goal, seen, site, claim)
        goal, live = bounded(goal, seen, site)
        planner = partial(rotation, goal)
        return Rollout(goal=goal, site=site, planner=planner, undo=revert_nodes, live=live, claim=claim).run(seen)


def create(goal: Goal, site: Site) -> Observation:
    """Build the servers of a generation, and wait until they are ACTIVE. On a failure they are deleted again."""
    seen = site.observe()
    goal, live = bounded(goal, seen, site)
    goal = replace(goal, bounds=replace(goal.bounds, servers=None))  # all at once, or preflight says why not
    preflight(goal, seen, site)
    return Rollout(goal=goal, site=site, planner=partial(boot, goal), undo=revert, live=live).run(seen)


def run_stage(stage: type[Stage], servers: tuple[Server, ...], goal: Goal, site: Site) -> Observation:
    """Run one stage on these servers, side by side; all come to their end before a failure is raised.

    :raises Claimed: another deploy is at work, and would suffer from it.
    """
    seen = site.observe_alone() if stage in ALONE else site.observe()
    loop = site.loop(goal, seen, Stakes())
    loop.perform(frozenset(stage(server_id=server.id) for server in servers))
    for distrust in loop.seen.distrusted.values():
        raise distrust
    return loop.seen


def retire(servers: tuple[Server, ...], goal: Goal, site: Site) -> None:
    """Delete servers that serve no traffic.

    :raises GuardRefused: a load balancer has a node at one of them; the others are deleted.
    """
    run_stage(RetireServer, servers, goal, site)


def _resume(goal: Goal, seen: Observation, site: Site, claim: Claimant) -> Observation:
    """Take over what an interrupted deploy has left: its finished servers stay, if they are well; the others go."""
    seen = with_proof(goal, taken(goal, seen, site, claim))
    finished = tuple(server for server in seen.generation(goal.generation) if is_finished(server))
    used = well(finished, goal, seen, site)
    useless = {server.id for server in seen.generation(goal.generation) if server not in used}
    site.say(f"going on with an interrupted deploy: {names(used)} can be used")
    rest = replace(seen, servers=tuple(server for server in seen.servers if server.id not in useless))
    stakes = Stakes(generation=goal.generation, floors=in_rotation(rest).floors(goal.count), claim=claim)
    loop = site.loop(goal, seen, stakes)
    loop.pursue(lambda now: frozenset(take_out((one for one in now.servers if one.id in useless), now)))
    return loop.seen


def revert_nodes(goal: Goal, seen: Observation, live: Live) -> frozenset[Step]:
    """Give the steps that undo a rotation and keep its servers, so that it can be tried again."""
    return frozenset(step for step in revert(goal, seen, live) if not isinstance(step, RetireServer))
