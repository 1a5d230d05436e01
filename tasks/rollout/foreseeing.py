"""What a deploy would do, begun from what the cloud shows now, an interrupted one included. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from tasks.rollout.beginning import bounded
from tasks.rollout.claims import Claim
from tasks.rollout.forecast import Rounds, foretell
from tasks.rollout.goal import Goal
from tasks.rollout.loop import Planner
from tasks.rollout.model import Server
from tasks.rollout.observation import Observation
from tasks.rollout.planning import plan
from tasks.rollout.resuming import Interruption, Way, interruption, is_finished, to_return_to, way
from tasks.rollout.reverting import revert
from tasks.rollout.rotating import take_claim
from tasks.rollout.site import Site
from tasks.rollout.steps import GiveUp, GiveUpRoom, RetireServer, Step


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """What a deploy would do.

    :param goal: what it would reach, with the bounds that were found.
    :param seen: what is there now.
    :param at_work: the operators at whose work it would stop, or for whom it would wait.
    :param found: the interrupted deploy that it would go on from in this `onward` way.
    :param first: the steps that make good for the interrupted deploy.
    :param rounds: the steps of the deploy itself; where the planner must give up, that is in the last round.
    """

    goal: Goal
    seen: Observation
    rounds: Rounds
    first: Rounds = ()
    at_work: tuple[Claim, ...] = ()
    found: Interruption | None = None
    onward: Way = Way.FRESH

    @property
    def gives_up(self) -> bool:
        """Say whether the deploy could not reach its goal."""
        return any(isinstance(step, GiveUp | GiveUpRoom) for bag in self.rounds for step in bag)


def foresee_first(goal: Goal) -> Foreseen:
    """Say what a deploy would do where there is nothing yet."""
    return Foreseen(goal=goal, seen=Observation(), rounds=foretell(partial(plan, goal), goal, Observation())[0])


def foresee(goal: Goal, site: Site) -> Foreseen:
    """Say what a deploy would do."""
    seen = site.observe()
    found = interruption(seen, site.dead(seen))
    onward = way(goal, seen, found)
    first, after = foretell(_making_good(goal, seen, found), goal, seen) if found else ((), seen)
    if found and onward is Way.RESUME:
        goal = replace(goal, generation=found.generation)
    goal, _ = bounded(goal, after, site)
    return Foreseen(
        goal=goal,
        seen=seen,
        rounds=foretell(partial(plan, goal), goal, after)[0],
        first=first,
        at_work=site.living(seen),
        found=found,
        onward=onward,
    )


def _making_good(goal: Goal, seen: Observation, found: Interruption) -> Planner:
    """Give the planner of what is done before the deploy itself begins."""
    its, live = found.goal(goal), to_return_to(seen, found)
    match way(goal, seen, found):
        case Way.FRESH:
            return lambda _: frozenset()
        case Way.RESUME:
            return lambda now: take_claim(now) or _unfinished(now.generation(its.generation))
        case Way.UNDO:
            return lambda now: take_claim(now) or revert(its, now, live)


def _unfinished(servers: tuple[Server, ...]) -> frozenset[Step]:
    return frozenset(RetireServer(server_id=server.id) for server in servers if not is_finished(server))
