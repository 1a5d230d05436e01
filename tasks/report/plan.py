"""The plan, as an operator reads it: every change in order, and what is not touched before what."""

from __future__ import annotations

from collections import Counter

from rich.console import Console

from tasks.report.wording import Names, counted, planned
from tasks.rollout.forecast import Rounds
from tasks.rollout.goal import Goal
from tasks.rollout.observation import Observation
from tasks.rollout.reverting import in_rotation
from tasks.rollout.steps import CreateServer, RetireServer, SetCondition, Step


def show_plan(rounds: Rounds, goal: Goal, seen: Observation, console: Console) -> None:
    """Print what a deploy would do."""
    steps = [step for bag in rounds for step in sorted(bag, key=str)]
    kinds = Counter(type(step) for step in steps)
    live = in_rotation(seen).servers
    console.print(
        f"A deploy of {goal.app} to {goal.environment} would build release {goal.release} on "
        f"{counted(kinds[CreateServer], 'new server')} and delete {kinds[RetireServer]}; {len(live)} serve now.\n",
        highlight=False,
        markup=False,
    )
    _show_steps(steps, seen, f"{goal.app}-{goal.environment}-", console)
    if live:
        console.print(
            "\nNothing that serves is touched until every new server has passed its check and is ONLINE on every "
            "load balancer.\nIf anything fails before that, only the new servers are deleted."
        )


def _show_steps(steps: list[Step], seen: Observation, prefix: str, console: Console) -> None:
    names = Names(prefix=prefix, servers=Names.of(seen.servers))
    touching = next((step for step in steps if isinstance(step, SetCondition | RetireServer)), None)
    for number, step in enumerate(steps, start=1):
        if step is touching:
            console.print("       -- from here on old servers are touched --", style="dim")
        words = planned(step, names)
        console.print(f"  {number:3}  {words}", highlight=False, markup=False)
