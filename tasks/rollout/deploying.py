"""The verbs: a whole rollout, a rotation alone, a stage alone; and what follows when one fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tasks.errors import DeployError, Interrupted, Reverted, Unfinished
from tasks.rollout.events import Reverting
from tasks.rollout.fleet import names
from tasks.rollout.loop import Loop, Planner
from tasks.rollout.model import Goal, Observation, Server
from tasks.rollout.planning import boot, plan, rotation
from tasks.rollout.preflight import preflight
from tasks.rollout.reverting import Place, has_begun, in_rotation, is_past_return, revert
from tasks.rollout.site import Site
from tasks.rollout.steps import Check, Migrate, RetireServer, SetUp, Step, TestApp

Stage = SetUp | Migrate | TestApp | Check | RetireServer
Undo = Callable[[Goal, Observation, frozenset[Place]], frozenset[Step]]


def deploy(goal: Goal, site: Site) -> Observation:
    """Replace every server by one of the goal's generation, and give what is there afterwards.

    Guarantees: live servers are untouched until every new one is ready and ONLINE on every load balancer. On a failure
    before that, and on Ctrl-C, the new servers are deleted; during the rotation, the old nodes are put back first.

    :raises DeployError: what failed, after it was undone. Reverted and Unfinished say how far the rotation had come.
    """
    seen = site.observe()
    preflight(goal, seen, site)
    return _Rollout(goal=goal, site=site, planner=partial(plan, goal), undo=revert).run(seen)


def rotate(goal: Goal, site: Site) -> Observation:
    """Put a ready generation into rotation and take all other servers of ours out and away.

    On a failure the old nodes are put back and the new ones taken out; the new servers are kept, so that it can be
    tried again.
    """
    return _Rollout(goal=goal, site=site, planner=partial(rotation, goal), undo=_revert_nodes).run(site.observe())


def create(goal: Goal, site: Site) -> Observation:
    """Build the servers of a generation, and wait until they are ACTIVE. On a failure they are deleted again."""
    seen = site.observe()
    preflight(goal, seen, site)
    return _Rollout(goal=goal, site=site, planner=partial(boot, goal), undo=revert).run(seen)


def run_stage(stage: type[Stage], servers: tuple[Server, ...], goal: Goal, site: Site) -> Observation:
    """Run one stage on these servers, side by side; all come to their end before a failure is raised."""
    loop = site.loop(goal, site.observe())
    loop.perform(frozenset(stage(server_id=server.id) for server in servers))
    return loop.seen


def retire(servers: tuple[Server, ...], goal: Goal, site: Site) -> None:
    """Delete servers that serve no traffic.

    :raises GuardRefused: a load balancer has a node at one of them; the others are deleted.
    """
    run_stage(RetireServer, servers, goal, site)


def _revert_nodes(goal: Goal, seen: Observation, live: frozenset[Place]) -> frozenset[Step]:
    return frozenset(step for step in revert(goal, seen, live) if not isinstance(step, RetireServer))


@dataclass(frozen=True, kw_only=True)
class _Rollout:
    """One run of the loop towards a goal, and its undoing."""

    goal: Goal
    site: Site
    planner: Planner
    undo: Undo

    def run(self, seen: Observation) -> Observation:
        live = in_rotation(seen)
        loop = self.site.loop(self.goal, seen)
        try:
            loop.pursue(self.planner)
        except (Exception, KeyboardInterrupt) as failure:  # a bug of ours is no reason to leave servers behind
            self._stop(loop)
            self._recover(_as_error(failure), loop, live)
            raise
        return loop.seen

    def _stop(self, loop: Loop) -> None:
        """Join every step that runs, so that what they did is known."""
        self.site.interrupt()
        loop.settle()
        self.site.resume()

    def _recover(self, failure: DeployError, loop: Loop, live: frozenset[Place]) -> None:
        """Undo what was done, and raise what has to be said."""
        if is_past_return(self.goal, loop.seen, live):
            raise Unfinished(
                f"{failure.problem}\nThe new servers serve; old ones remain: {names(self._old(loop.seen))}.",
                advice="`fab deploy` or `fab rotate` goes on from here.",
            ) from failure
        begun = has_begun(self.goal, loop.seen)
        self.site.listen(Reverting(at=self.site.clock.now(), reason=failure.problem))
        try:
            loop.pursue(lambda seen: self.undo(self.goal, seen, live))
        except DeployError as second:
            self._stop(loop)
            left = names(loop.seen.generation(self.goal.generation))
            raise Unfinished(
                f"{failure.problem}\nUndoing it failed as well: {second.problem}\nNew servers that remain: {left}.",
                advice="`fab status` shows what serves; `fab servers.retire` deletes those out of rotation.",
            ) from failure
        if begun:
            raise Reverted(f"{failure.problem}\nThe old servers serve again.", advice=failure.advice) from failure
        if isinstance(failure, Interrupted):
            raise failure

    def _old(self, seen: Observation) -> tuple[Server, ...]:
        return tuple(server for server in seen.servers if server.labels.generation != self.goal.generation)


def _as_error(failure: BaseException) -> DeployError:
    if isinstance(failure, DeployError):
        return failure
    if isinstance(failure, KeyboardInterrupt):
        return Interrupted("stopped by Ctrl-C")
    return DeployError(f"a bug: {failure!r}")
