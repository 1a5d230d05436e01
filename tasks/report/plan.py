"""The plan, as an operator reads it: every change in order, and what is not touched before what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from rich.console import Console

from tasks.report.outlook import until
from tasks.report.times import span
from tasks.report.wording import Names, counted, planned
from tasks.rollout.forecast import Rounds
from tasks.rollout.foreseeing import Foreseen
from tasks.rollout.goal import Pace
from tasks.rollout.resuming import Way
from tasks.rollout.reverting import in_rotation
from tasks.rollout.steps import CreateServer, Park, RetireServer, SetCondition, Step

ONWARD = {
    Way.RESUME: "It would go on with the interrupted {verb} of {owner}, which was of the same release.",
    Way.UNDO: "It would undo the interrupted {verb} of {owner} first.",
    Way.FRESH: "It would take away what the interrupted {verb} of {owner} has left, when the new servers serve.",
}


def show_plan(foreseen: Foreseen, console: Console) -> None:
    """Print what a deploy would do, and how it would begin if another one is at work or was interrupted."""
    goal = foreseen.goal
    _say(console, _heading(foreseen))
    for claim in foreseen.at_work:
        _say(console, f"Not now: the {claim.verb} of {claim.owner} is at work (`--wait` waits for it).")
    if foreseen.found:
        claim = foreseen.found.claim
        _say(console, ONWARD[foreseen.onward].format(verb=claim.verb, owner=claim.owner))
    for line in _pace(goal.pace, goal.count):
        _say(console, line)
    _say(console, "")
    _show_steps(foreseen, console)
    for line in _closing(foreseen):
        _say(console, f"\n{line}")


def _heading(foreseen: Foreseen) -> str:
    goal = foreseen.goal
    kinds = Counter(type(step) for step in _steps(foreseen.first + foreseen.rounds))
    away = f"delete {kinds[RetireServer]}" + (f", park {kinds[Park]}" if kinds[Park] else "")
    return (
        f"A deploy of {goal.app} to {goal.environment} would build release {goal.release} on "
        f"{counted(kinds[CreateServer], 'new server')} and {away}; {len(in_rotation(foreseen.seen).servers)} serve now."
    )


def _pace(pace: Pace, count: int) -> list[str]:
    """Say how the rotation proceeds, where that is not all at once."""
    lines = []
    if pace.is_watched:
        sizes = ", then ".join(map(str, pace.batches or (count,)))
        long = f" for {pace.watch:g} s" if pace.watch else ""
        lines.append(f"In rotation: {sizes} new servers, watched{long} each time.")
    if pace.standby:
        kept = until(pace.standby) if isinstance(pace.standby, str) else f"for {span(timedelta(seconds=pace.standby))}"
        lines.append(f"The old servers are kept {kept} for `fab rollback`.")
    return lines


def _closing(foreseen: Foreseen) -> Iterator[str]:
    if foreseen.gives_up:
        yield "It could not go on from there: it would fail as the last line says, and undo what it did."
    elif in_rotation(foreseen.seen).servers:
        yield (
            "Nothing that serves is touched until the new servers have passed their checks and are ONLINE on every "
            "load balancer.\nIf anything fails before that, only the new servers are deleted."
        )


def _show_steps(foreseen: Foreseen, console: Console) -> None:
    prefix = f"{foreseen.goal.app}-{foreseen.goal.environment}-"
    names = Names(prefix=prefix, servers=Names.of(foreseen.seen.servers))
    steps = _steps(foreseen.first + foreseen.rounds)
    begun = len(_steps(foreseen.first))
    touching = next((step for step in steps[begun:] if isinstance(step, SetCondition | RetireServer)), None)
    for number, step in enumerate(steps, start=1):
        if begun and number == 1:
            console.print("       -- what was interrupted --", style="dim")
        if begun and number == begun + 1:
            console.print("       -- the deploy --", style="dim")
        if step is touching:
            console.print("       -- from here on old servers are touched --", style="dim")
        _say(console, f"  {number:3}  {planned(step, names)}")


def _steps(rounds: Rounds) -> list[Step]:
    return [step for bag in rounds for step in sorted(bag, key=str)]


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False)
