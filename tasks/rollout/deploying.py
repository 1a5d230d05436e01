"""The verbs: a whole rollout, a rotation alone, a stage alone; and what follows when one fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tasks.errors import DeployError, Interrupted, Reverted, Unfinished
from tasks.rollout.events import Reverting
from tasks.rollout.fleet import names
from tasks.rollout.goal import Goal
from tasks.rollout.loop import Loop, Planner
from tasks.rollout.model import Server
from tasks.rollout.observation import Observation
from tasks.rollout.planning import boot, plan, rotation
from tasks.rollout.preflight import preflight
from tasks.rollout.reverting import Place, has_begun, in_rotation, is_past_return, revert
from tasks.rollout.site import Site
from tasks.rollout.steps import Check, Migrate, RetireServer, SetUp, Step, TestApp

UNDO_TRIES = 3
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
    for distrust in loop.seen.distrusted.values():
        raise distrust
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
            self._recover(_as_error(failure), live)
            raise
        return loop.seen

    def _stop(self, loop: Loop) -> None:
        """Join every step that runs: nothing of ours is under way afterwards."""
        self.site.interrupt()
        loop.settle()
        self.site.resume()

    def _recover(self, failure: DeployError, live: frozenset[Place]) -> None:
        """Undo what was done, and raise what has to be said; return when the failure says it all.

        What is undone is what the cloud shows now: a step that failed may have done its work all the same.
        """
        seen = self._look(failure)
        if is_past_return(self.goal, seen, live):
            raise Unfinished(
                f"{failure.problem}\nThe new servers serve; old ones remain: {names(self._old(seen))}.",
                advice="`fab deploy` or `fab rotate` goes on from here.",
            ) from failure
        self.site.listen(Reverting(at=self.site.clock.now(), reason=failure.problem))
        begun = has_begun(self.goal, seen)
        self._undo(failure, seen, live)
        if begun:
            raise Reverted(f"{failure.problem}\nThe old servers serve again.", advice=failure.advice) from failure
        if isinstance(failure, Interrupted):
            raise failure

    def _undo(self, failure: DeployError, seen: Observation, live: frozenset[Place]) -> None:
        """Pursue the way back; when a step of it fails, look again and go on, a few times."""
        for tries_left in reversed(range(UNDO_TRIES)):
            loop = self.site.loop(self.goal, seen)
            try:
                return loop.pursue(lambda now: self.undo(self.goal, now, live))
            except DeployError as second:
                self._stop(loop)
                seen = self._look(failure)
                if not tries_left:
                    left = names(seen.generation(self.goal.generation))
                    raise Unfinished(
                        f"{failure.problem}\nUndoing it failed as well: {second.problem}\n"
                        f"New servers that remain: {left}.",
                        advice="`fab status` shows what serves; `fab servers.retire` deletes those out of rotation.",
                    ) from failure
        return None

    def _look(self, failure: DeployError) -> Observation:
        try:
            return self.site.observe()
        except DeployError as blind:
            raise Unfinished(
                f"{failure.problem}\nNothing could be undone, since the cloud does not answer: {blind.problem}",
                advice="Servers that serve were not deleted. `fab deploy` goes on from here once the cloud answers.",
            ) from failure

    def _old(self, seen: Observation) -> tuple[Server, ...]:
        return tuple(server for server in seen.servers if server.labels.generation != self.goal.generation)


def _as_error(failure: BaseException) -> DeployError:
    if isinstance(failure, DeployError):
        return failure
    if isinstance(failure, KeyboardInterrupt):
        return Interrupted("stopped by Ctrl-C or SIGTERM")
    return DeployError(f"a bug: {failure!r}")
