"""The plan, as an operator reads it: every change in order, and what is not touched before what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rich.console import Console

from tasks.report.outlook import until
from tasks.report.reckoning import Reckoning, ordered, reckon
from tasks.report.times import span
from tasks.report.wording import Names, counted, planned
from tasks.rollout.foreseeing import Foreseen
from tasks.rollout.goal import Pace
from tasks.rollout.resuming import Way
from tasks.rollout.reverting import in_rotation

MOST_NAMES = 10
ONWARD = {
    Way.RESUME: "It would go on with the interrupted {verb} of {owner}, which was of the same release.",
    Way.UNDO: "It would undo the interrupted {verb} of {owner} first.",
    Way.FRESH: "It would take away what the interrupted {verb} of {owner} has left, when the new servers serve.",
}


def show_plan(foreseen: Foreseen, console: Console) -> None:
    """Print what a deploy would do, and how it would begin if another one is at work or was interrupted."""
    goal, reckoned = foreseen.goal, reckon(foreseen)
    _say(console, _heading(foreseen, reckoned))
    for claim in foreseen.at_work:
        _say(console, f"Not now: the {claim.verb} of {claim.owner} is at work (`--wait` waits for it).")
    if foreseen.found:
        claim = foreseen.found.claim
        _say(console, ONWARD[foreseen.onward].format(verb=claim.verb, owner=claim.owner))
    for line in [*_pace(goal.pace, goal.count), *_reckoned(foreseen, reckoned)]:
        _say(console, line)
    _say(console, "")
    _show_steps(foreseen, reckoned, console)
    for line in _closing(foreseen, reckoned):
        _say(console, f"\n{line}")


def _heading(foreseen: Foreseen, reckoned: Reckoning) -> str:
    goal = foreseen.goal
    away = f"delete {len(reckoned.deleted)}" + (f", park {len(reckoned.parked)}" if reckoned.parked else "")
    new, serving = counted(len(reckoned.created), "new server"), len(in_rotation(foreseen.seen).servers)
    return (
        f"A deploy of {goal.app} to {goal.environment} would build release {goal.release} on {new} and {away}; "
        f"{serving} serve now."
    )


def _reckoned(foreseen: Foreseen, reckoned: Reckoning) -> Iterator[str]:
    """Say who goes, how much room it takes, and whether it is worth it."""
    name = Names(prefix=_prefix(foreseen), servers={})
    for what, servers in (("Deleted", reckoned.deleted), ("Parked", reckoned.parked)):
        if servers:
            yield f"{what}: {_listed([name(server.name) for server in servers])}."
    count, room = reckoned.count, reckoned.count.room
    limit = f"the quota leaves room for {', '.join(map(str, room))} more" if room else "no limit is known"
    yield f"Servers: {count.before} now, {count.most} at most, {count.after} afterwards; {limit}."
    if not reckoned.is_change:
        yield f"Release {foreseen.goal.release} serves already: a deploy would only renew its servers."


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


def _closing(foreseen: Foreseen, reckoned: Reckoning) -> Iterator[str]:
    if foreseen.gives_up:
        yield "It could not go on from there: it would fail as the last line says, and undo what it did."
    elif in_rotation(foreseen.seen).servers and reckoned.touching:
        yield (
            f"Nothing that serves will be touched until step {reckoned.touching}: by then new servers have passed "
            "their checks and are ONLINE on every load balancer.\nIf anything fails before that, only the new servers "
            "are deleted."
        )


def _show_steps(foreseen: Foreseen, reckoned: Reckoning, console: Console) -> None:
    names = Names(prefix=_prefix(foreseen), servers=Names.of(foreseen.seen.servers))
    begun = sum(len(bag) for bag in foreseen.first)
    for number, step in enumerate(ordered(foreseen), start=1):
        if begun and number == 1:
            console.print("       -- what was interrupted --", style="dim")
        if begun and number == begun + 1:
            console.print("       -- the deploy --", style="dim")
        if number == reckoned.touching:
            console.print("       -- from here on old servers are touched --", style="dim")
        _say(console, f"  {number:3}  {planned(step, names)}")


def _listed(names: list[str]) -> str:
    """Give the first names, and count the rest: the steps name them all."""
    rest = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _prefix(foreseen: Foreseen) -> str:
    return f"{foreseen.goal.app}-{foreseen.goal.environment}-"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False)
