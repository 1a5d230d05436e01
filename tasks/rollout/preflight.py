"""What is wrong is said before the first server exists, and all of it at once."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.errors import CloudError
from tasks.rollout.goal import Goal
from tasks.rollout.model import BalancerStatus, LoadBalancer
from tasks.rollout.observation import Observation
from tasks.rollout.site import Site


def preflight(goal: Goal, seen: Observation, site: Site) -> None:
    """Return when the deploy can be expected to go through.

    :raises CloudError: with every problem that was found, one a line.
    """
    missing = goal.count - len(seen.generation(goal.generation))
    problems = [
        *site.compute.problems(missing),
        *site.balancers.problems(goal.listeners),
        *_balancer_problems(goal, seen, site.balancers.node_limit()),
    ]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise CloudError(f"{goal.app} can not be deployed to {goal.environment} as it is:\n{listed}")


def _balancer_problems(goal: Goal, seen: Observation, node_limit: int) -> Iterator[str]:
    for balancer in seen.balancers:
        yield from _status_problems(balancer)
        both = len(balancer.nodes) + goal.count
        if both > node_limit:
            yield (
                f"load balancer {balancer.name} would have {both} nodes with the {goal.count} new ones, and "
                f"{node_limit} is the limit: deploy fewer servers, or have the limit raised"
            )


def _status_problems(balancer: LoadBalancer) -> Iterator[str]:
    if balancer.status is BalancerStatus.ERROR:
        yield f"load balancer {balancer.name} ({balancer.id}) is in status ERROR: the cloud's support has to mend it"
