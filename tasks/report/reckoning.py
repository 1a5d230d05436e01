"""What a plan comes to: who comes, who goes, how much room it takes, and whether anything is new about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tasks.rollout.foreseeing import Foreseen
from tasks.rollout.model import Server
from tasks.rollout.reverting import in_rotation
from tasks.rollout.steps import CreateServer, Park, ReplaceBuild, RetireServer, SetCondition, Step


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many servers of ours there are: now, when there are most of them, and afterwards.

    :param allowed: how many the quotas allow; None when no limit is known.
    """

    before: int
    most: int
    after: int
    allowed: int | None

    @property
    def room(self) -> tuple[int, int, int] | None:
        """Give for how many more servers there is room at these three moments; None when there is no limit."""
        if self.allowed is None:
            return None
        return self.allowed - self.before, self.allowed - self.most, self.allowed - self.after


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """What a plan comes to.

    :param created: the names of the servers that would be made.
    :param touching: the number of the first step that touches what serves, counted from 1; None when there is none.
    :param is_change: what serves afterwards is another release, or on another number of servers; without it, a deploy
        would only renew the servers.
    """

    created: tuple[str, ...]
    deleted: tuple[Server, ...]
    parked: tuple[Server, ...]
    count: Count
    touching: int | None
    is_change: bool


def reckon(foreseen: Foreseen) -> Reckoning:
    """Reckon up what a plan comes to."""
    steps = ordered(foreseen)
    return Reckoning(
        created=tuple(foreseen.goal.request(step.slot).name for step in steps if isinstance(step, CreateServer)),
        deleted=tuple(_named(steps, foreseen, RetireServer, ReplaceBuild)),
        parked=tuple(_named(steps, foreseen, Park)),
        count=_count(steps, foreseen),
        touching=_touching(steps, len(_in_order(foreseen.first))),
        is_change=_is_change(foreseen),
    )


def ordered(foreseen: Foreseen) -> list[Step]:
    """Give all steps in an order that is the same each time: those that make good for an interruption first."""
    return _in_order((*foreseen.first, *foreseen.rounds))


def _in_order(rounds: Iterable[frozenset[Step]]) -> list[Step]:
    return [step for bag in rounds for step in sorted(bag, key=str)]


def _named(steps: list[Step], foreseen: Foreseen, *kinds: type) -> Iterator[Server]:
    """Give the servers of these steps that are there now."""
    for step in steps:
        if isinstance(step, RetireServer | ReplaceBuild | Park) and isinstance(step, kinds):
            server = foreseen.seen.server(step.server_id)
            if server:
                yield server


def _count(steps: list[Step], foreseen: Foreseen) -> Count:
    before = now = most = len(foreseen.seen.servers)
    for step in steps:
        now += isinstance(step, CreateServer) - isinstance(step, RetireServer | ReplaceBuild)
        most = max(most, now)
    return Count(before=before, most=most, after=now, allowed=foreseen.goal.bounds.servers)


def _touching(steps: list[Step], begun: int) -> int | None:
    numbered = enumerate(steps[begun:], start=begun + 1)
    return next((number for number, step in numbered if isinstance(step, SetCondition | RetireServer)), None)


def _is_change(foreseen: Foreseen) -> bool:
    goal, ids = foreseen.goal, in_rotation(foreseen.seen).servers
    serving = [server for server in foreseen.seen.servers if server.id in ids]
    is_same = len(serving) == goal.count and {server.labels.release for server in serving} == {goal.release}
    names = {balancer.name for balancer in foreseen.seen.balancers}
    is_behind_all = all(listener.name in names for listener in goal.listeners)
    return foreseen.found is not None or not (is_same and is_behind_all)
