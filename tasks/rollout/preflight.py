"""What is wrong is said before the first server exists, and all of it at once; `fab doctor` says what is well, too."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.errors import CloudError, Immutable
from tasks.findings import Finding, fine, not_well, wrong
from tasks.rollout.goal import Goal
from tasks.rollout.model import BalancerStatus, LoadBalancer
from tasks.rollout.observation import Observation
from tasks.rollout.reverting import in_rotation
from tasks.rollout.rotating import is_known, others
from tasks.rollout.site import Site
from tasks.waiting import Patience, until

_NOT_OURS = "load balancers that were not made by this tool have the names of ours"
_ADOPT = "`fab deploy --adopt` takes them over: nodes of ours come and go, all others stay as they are."


def preflight(goal: Goal, seen: Observation, site: Site) -> None:
    """Return when the deploy can be expected to go through.

    :raises CloudError: with every problem that was found, one a line.
    """
    problems = not_well(findings(goal, seen, site))
    if problems:
        listed = "\n".join(f"  - {finding.problem}" for finding in problems)
        raise CloudError(f"{goal.app} can not be deployed to {goal.environment} as it is:\n{listed}")


def findings(goal: Goal, seen: Observation, site: Site) -> list[Finding]:
    """Say of everything that a deploy will need of the cloud whether it is there; changes nothing.

    :raises CloudError: the cloud can not be asked.
    """
    return [
        *site.compute.findings(_at_once(goal, seen)),
        *site.balancers.findings(goal.listeners),
        *_on_balancers(goal, seen),
    ]


def marks(seen: Observation, site: Site) -> Finding:
    """Say whether all load balancers of our listeners are ours."""
    foreign = _foreign(seen, site)
    if not foreign:
        return fine("marks of load balancers", "there is none yet" if not seen.balancers else "all are ours")
    return wrong("marks of load balancers", f"{_NOT_OURS}: {_named(foreign)}", _ADOPT)


def require_marked(seen: Observation, site: Site) -> None:
    """Return when all load balancers of our listeners are ours; take over those that are not, if that is wanted.

    :raises CloudError: somebody else has made one, and nobody has said that it is to be taken over.
    """
    foreign = _foreign(seen, site)
    if foreign and not site.adopt:
        raise CloudError(f"{_NOT_OURS}: {_named(foreign)}", advice=_ADOPT)
    for balancer in foreign:
        _adopt(balancer, site)
        site.say(f"load balancer {balancer.name} is taken over")


def _foreign(seen: Observation, site: Site) -> list[LoadBalancer]:
    return [balancer for balancer in seen.balancers if not site.balancers.is_ours(balancer.id)]


def _named(balancers: list[LoadBalancer]) -> str:
    return ", ".join(f"{balancer.name} ({balancer.id})" for balancer in balancers)


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


def _on_balancers(goal: Goal, seen: Observation) -> Iterator[Finding]:
    limit = goal.bounds.nodes
    if limit is not None:
        yield _count(goal, limit)
    for balancer in seen.balancers:
        yield _status(balancer)
        if limit is not None:
            yield _nodes(balancer, goal, seen, limit)


def _count(goal: Goal, limit: int) -> Finding:
    what = "setting count"
    if goal.count <= limit:
        return fine(what, f"{goal.count}; a load balancer can have {limit} nodes")
    return wrong(what, f"a load balancer can have {limit} nodes, and {goal.count} servers are wanted", "lower `count`")


def _status(balancer: LoadBalancer) -> Finding:
    what = f"load balancer {balancer.name}"
    if balancer.status is not BalancerStatus.ERROR:
        return fine(what, f"in status {balancer.status}")
    return wrong(what, f"{what} ({balancer.id}) is in status ERROR", "the cloud's support has to mend it")


def _nodes(balancer: LoadBalancer, goal: Goal, seen: Observation, limit: int) -> Finding:
    """Say whether one new node at least has room beside those that have to stay."""
    what, count = f"nodes of {balancer.name}", len(balancer.nodes)
    own = seen.generation(goal.generation)
    is_needed = len(own) < goal.count or any(not balancer.nodes_of(server) for server in own)
    if not is_needed or count - _to_spare(balancer, goal, seen) < limit:
        return fine(what, f"{count} of {limit}")
    return wrong(
        what,
        f"load balancer {balancer.name} has {count} nodes, and {limit} is the limit: there is no room for a new one "
        "beside them",
        "have the limit raised, or remove a node",
    )


def _to_spare(balancer: LoadBalancer, goal: Goal, seen: Observation) -> int:
    """Give how many old nodes can make room for new ones: those that rest, and those beyond what has to serve."""
    old = [one for one in seen.servers if one.generation != goal.generation and balancer.nodes_of(one)]
    resting = sum(1 for one in old if not balancer.sends_to(one))
    serving = sum(1 for one in seen.servers if balancer.sends_to(one))
    return resting + max(0, min(len(old) - resting, serving - goal.bounds.floors.get(balancer.name, 0)))
