"""Undoing an interrupted deploy: what served before it serves again, and its servers are deleted."""

from __future__ import annotations

from dataclasses import replace

from tasks.errors import DeployError, Unfinished
from tasks.rollout.beginning import taken, well
from tasks.rollout.claiming import Claimant
from tasks.rollout.fleet import names
from tasks.rollout.goal import Bounds, Goal
from tasks.rollout.guard import Stakes
from tasks.rollout.observation import Observation
from tasks.rollout.resuming import Interruption, predecessors, to_return_to
from tasks.rollout.reverting import Live, has_begun, revert
from tasks.rollout.site import Site


def undone_if_well(found: Interruption, goal: Goal, site: Site, claim: Claimant) -> Observation:
    """Undo an interrupted deploy, unless what it would go back to is not well: then what serves now serves on."""
    claim.rename("undo", found.generation)  # before it is taken: by that the dead claim goes, and with it the trace
    seen = taken(goal, site.observe(), site, claim)
    if missing_before(found, goal, seen, site):
        site.say("the interrupted deploy is not undone: what serves now serves until the new servers do")
        claim.rename("deploy", goal.generation)
        return seen
    return undo(found, goal, site, claim, seen)


def missing_before(found: Interruption, goal: Goal, seen: Observation, site: Site) -> int:
    """Give how many of those who served before it can not serve now, as far as they would have to."""
    if not has_begun(found.goal(goal), seen):
        return 0
    return max(0, found.previous.count - len(well(predecessors(seen, found), goal, seen, site)))


def undo(found: Interruption, goal: Goal, site: Site, claim: Claimant, seen: Observation) -> Observation:
    """Undo an interrupted deploy, and give what is there then.

    :raises Unfinished: it could not be undone; the next run goes on.
    """
    site.say(f"undoing the interrupted {found.claim.verb} of {found.claim.owner}: {names(found.servers)}")
    its = found.goal(goal)
    claim.rename("undo", found.generation)
    live = to_return_to(seen, found) if has_begun(its, seen) else Live()  # else what serves is none of its doing
    its = replace(its, bounds=Bounds(floors=live.floors(found.previous.count), nodes=site.balancers.node_limit()))
    stakes = Stakes(generation=its.generation, live=live.servers, floors=its.bounds.floors, claim=claim)
    loop = site.loop(its, seen, stakes)
    try:
        loop.pursue(lambda now: revert(its, now, live))
    except DeployError as failure:
        raise Unfinished(
            f"the interrupted deploy {found.generation} could not be undone: {failure.problem}",
            advice=failure.advice
            or "`fab status` shows what serves; `fab abort` tries again, and so does `fab deploy`.",
        ) from failure
    claim.rename("deploy", goal.generation)
    return replace(site.observe(), held=loop.seen.held)
