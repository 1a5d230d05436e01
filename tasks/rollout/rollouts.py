"""One run of the loop towards a goal, and what follows when it fails: what was done is undone, or said to remain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.errors import Breached, Claimed, ClaimLost, DeployError, Interrupted, Reverted, Unfinished
from tasks.rollout.aftermath import aftermath, kept_of
from tasks.rollout.claiming import Claimant
from tasks.rollout.events import Planned, Reverting
from tasks.rollout.evidence import console_of, sparing, struck, worth_keeping
from tasks.rollout.fleet import names
from tasks.rollout.forecast import forecast
from tasks.rollout.goal import Goal
from tasks.rollout.guard import Stakes
from tasks.rollout.loop import Loop, Planner
from tasks.rollout.model import Server
from tasks.rollout.observation import Observation
from tasks.rollout.reverting import Live, can_return, has_begun, is_complete, is_past_return
from tasks.rollout.site import Site
from tasks.rollout.steps import Step

UNDO_TRIES = 3
Undo = Callable[[Goal, Observation, Live], frozenset[Step]]


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """One run of the loop towards a goal, and its undoing.

    :param live: what served when it began.
    :param claim: without one nothing that serves can be changed.
    """

    goal: Goal
    site: Site
    planner: Planner
    undo: Undo
    live: Live
    claim: Claimant | None = None

    @property
    def stakes(self) -> Stakes:
        """What may not be lost."""
        return Stakes(
            generation=self.goal.generation,
            live=self.live.servers,
            floors=self.goal.bounds.floors,
            claim=self.claim,
        )

    def run(self, seen: Observation) -> Observation:
        """Pursue the goal; on a failure, undo what was done.

        :raises DeployError: what failed, after it was undone. Reverted and Unfinished say how far it had come.
        """
        planned = Planned(at=self.site.clock.now(), rounds=lambda: forecast(self.planner, self.goal, seen))
        self.site.listen(planned)
        loop = self.site.loop(self.goal, seen, self.stakes)
        try:
            loop.pursue(self.planner)
        except (Exception, KeyboardInterrupt) as failure:  # a bug of ours is no reason to leave servers behind
            self._stop(loop)
            self._fail(failure, loop)
            raise
        return loop.seen

    def _fail(self, failure: BaseException, loop: Loop) -> None:
        """Undo what was done, and tell what that led to: on the failure itself, unless another one has to be raised."""
        error = _as_error(failure)
        try:
            self._recover(error, loop)
        except DeployError as told:
            told.learn_from(error)
            raise
        if error is not failure:
            failure.add_note(error.aftermath)

    def _stop(self, loop: Loop) -> None:
        """Join every step that runs: nothing of ours is under way afterwards."""
        self.site.interrupt()
        loop.settle()
        self.site.resume()

    def _recover(self, failure: DeployError, loop: Loop) -> None:
        """Undo what was done, and raise what has to be said; return when the failure says it all.

        What is undone is what the cloud shows now: a step that failed may have done its work all the same.
        """
        self._require_claim(failure)
        seen = self._look(failure)
        server = struck(loop.failed, self.goal, seen)
        failure.console = console_of(server, failure, self.site.compute) if server else ""
        if loop.doomed & self.live.servers or self._is_past_return(failure, seen):
            serving = "The new servers serve" if is_complete(self.goal, seen) else "New servers serve beside old ones"
            raise Unfinished(
                f"{failure.problem}\n{serving}; old ones remain: {names(self._old(seen))}.",
                advice="`fab deploy` or `fab rotate` goes on from here.",
            ) from failure
        self.site.listen(Reverting(at=self.site.clock.now(), reason=failure.problem))
        begun = has_begun(self.goal, seen)
        if self.claim and begun:
            self.claim.rename("undo", self.goal.generation)
        live = self.live if begun else Live()  # else what serves is none of our doing
        after = self._undo(failure, seen, live, worth_keeping(server, self.goal))
        self._tell(failure, seen, after)
        if begun and not _is_bug(failure):
            raise Reverted(failure.problem, advice=failure.advice) from failure
        if isinstance(failure, Interrupted):
            raise failure

    def _tell(self, failure: DeployError, before: Observation, after: Observation) -> None:
        begun = has_begun(self.goal, before)
        kept = kept_of(self.goal, after)
        failure.kept = (kept.private_ip or "") if kept else ""
        if begun or not isinstance(failure, Claimed):
            who = "The old servers serve again" if begun else "Serving as before"
            failure.aftermath = aftermath(self.goal, before, after, who=who)

    def _require_claim(self, failure: DeployError) -> None:
        """Change nothing more when another deploy may have taken over: it finds what is there, and cleans up."""
        if isinstance(failure, ClaimLost) and self.claim and not self.claim.regain():
            raise ClaimLost(
                f"{failure.problem}\nWhat was begun was left as it is: whoever took over cleans it up.",
                advice=failure.advice,
            ) from failure

    def _is_past_return(self, failure: DeployError, seen: Observation) -> bool:
        if isinstance(failure, Breached) and self.live.places and can_return(seen, self.live):
            return False
        return is_past_return(self.goal, seen, self.live)

    def _undo(self, failure: DeployError, seen: Observation, live: Live, spared: str) -> Observation:
        """Pursue the way back; when a step of it fails, look again and go on, a few times. Gives what is there then.

        :param spared: id of the server that is kept for somebody to look at; "" = none.
        """
        for tries_left in reversed(range(UNDO_TRIES)):
            loop = self.site.loop(self.goal, seen, self.stakes)
            try:
                loop.pursue(lambda now: sparing(spared, self.undo(self.goal, now, live)))
            except DeployError as second:
                self._stop(loop)
                self._require_claim(second)
                seen = self._look(failure)
                if not tries_left:
                    left = names(seen.generation(self.goal.generation))
                    raise Unfinished(
                        f"{failure.problem}\nUndoing it failed as well: {second.problem}\n"
                        f"New servers that remain: {left}.",
                        advice="`fab status` shows what serves; `fab abort` goes on with the undoing.",
                    ) from failure
            else:
                return loop.seen
        return seen

    def _look(self, failure: DeployError) -> Observation:
        try:
            return self.site.observe()
        except DeployError as blind:
            raise Unfinished(
                f"{failure.problem}\nNothing could be undone, since the cloud does not answer: {blind.problem}",
                advice="Servers that serve were not deleted. `fab deploy` goes on from here once the cloud answers.",
            ) from failure

    def _old(self, seen: Observation) -> tuple[Server, ...]:
        return tuple(server for server in seen.servers if server.generation != self.goal.generation)


def _as_error(failure: BaseException) -> DeployError:
    if isinstance(failure, DeployError):
        return failure
    if isinstance(failure, KeyboardInterrupt):
        return Interrupted("stopped by Ctrl-C or SIGTERM")
    return DeployError(f"a bug: {failure!r}")


def _is_bug(failure: DeployError) -> bool:
    return failure.exit_code == DeployError.exit_code
