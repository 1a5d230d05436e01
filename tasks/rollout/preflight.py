"""What is wrong is said before the first server exists, and all of it at once."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.errors import CloudError, Immutable
from tasks.rollout.goal import Goal
from tasks.rollout.model import BalancerStatus, LoadBalancer
from tasks.rollout.observation import Observation
from tasks.rollout.reverting import in_rotation
from tasks.rollout.rotating import is_known, others
from tasks.rollout.site import Site
from tasks.waiting import Patience, until


def preflight(goal: Goal, seen: Observation, site: Site) -> None:
    """Return when the deploy can be expected to go through.

    :raises CloudError: with every problem that was found, one a line.
    """
    problems = [
        *site.compute.problems(_at_once(goal, seen)),
        *site.balancers.problems(goal.listeners),
        *_balancer_problems(goal, seen),
    ]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise CloudError(f"{goal.app} can not be deployed to {goal.environment} as it is:\n{listed}")


def require_marked(seen: Observation, site: Site) -> None:
    """Return when all load balancers of our listeners are ours; take over those that are not, if that is wanted.

    :raises CloudError: somebody else has made one, and nobody has said that it is to be taken over.
    """
    foreign = [balancer for balancer in seen.balancers if not site.balancers.is_ours(balancer.id)]
    if foreign and not site.adopt:
        names = ", ".join(f"{balancer.name} ({balancer.id})" for balancer in foreign)
        raise CloudError(
            f"load balancers that were not made by this tool have the names of ours: {names}",
            advice="`fab deploy --adopt` takes them over: nodes of ours come and go, all others stay as they are.",
        )
    for balancer in foreign:
        _adopt(balancer, site)
        site.say(f"load balancer {balancer.name} is taken over")


def _adopt(balancer: LoadBalancer, site: Site) -> None:
    def look() -> bool | None:
        try:
            site.balancers.adopt(balancer.id)
        except Immutable:
            return None
        return True

    what = f"load balancer {balancer.name} to take our mark"
    until(look, what=what, patience=Patience(limit=site.limits.balancer), clock=site.clock)


def _at_once(goal: Goal, seen: Observation) -> int:
    """Give how many servers have to fit beside those that there are: all missing ones, or one if old ones make room."""
    missing = goal.count - len(seen.generation(goal.generation))
    idle = sum(1 for server in others(goal, seen) if not is_known(server, seen))  # they make room
    if goal.bounds.servers is not None and in_rotation(seen).places:
        missing = min(missing, max(1, goal.bounds.servers - len(seen.servers) + idle))
    return max(0, missing - idle)


def _balancer_problems(goal: Goal, seen: Observation) -> Iterator[str]:
    limit = goal.bounds.nodes
    if limit is not None and goal.count > limit:
        yield f"a load balancer can have {limit} nodes, and {goal.count} servers are wanted"
    for balancer in seen.balancers:
        yield from _status_problems(balancer)
        missing = any(not balancer.nodes_of(server) for server in seen.generation(goal.generation))
        is_needed = missing or len(seen.generation(goal.generation)) < goal.count
        if limit is not None and is_needed and len(balancer.nodes) - _to_spare(balancer, goal, seen) >= limit:
            yield (
                f"load balancer {balancer.name} has {len(balancer.nodes)} nodes, and {limit} is the limit: there is no "
                "room for a new one beside them; have the limit raised, or remove a node"
            )


def _to_spare(balancer: LoadBalancer, goal: Goal, seen: Observation) -> int:
    """Give how many old nodes can make room for new ones: those that rest, and those beyond what has to serve."""
    old = [one for one in seen.servers if one.generation != goal.generation and balancer.nodes_of(one)]
    resting = sum(1 for one in old if not balancer.sends_to(one))
    serving = sum(1 for one in seen.servers if balancer.sends_to(one))
    return resting + max(0, min(len(old) - resting, serving - goal.bounds.floors.get(balancer.name, 0)))


def _status_problems(balancer: LoadBalancer) -> Iterator[str]:
    if balancer.status is BalancerStatus.ERROR:
        yield f"load balancer {balancer.name} ({balancer.id}) is in status ERROR: the cloud's support has to mend it"
