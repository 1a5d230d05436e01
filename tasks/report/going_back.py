"""The first and the last words of a rollback."""

from __future__ import annotations

from rich.console import Console

from tasks.report.status import State, show
from tasks.report.wording import Names, counted
from tasks.rollout.goal import Goal
from tasks.rollout.returning import WayBack

SCHEMA = "Migrations are not undone: this release meets the schema of the later one."


def announce_return(back: WayBack, goal: Goal, console: Console) -> None:
    """Say which release serves again, on which servers, and what is not undone."""
    now = ", ".join(sorted({server.labels.release for server in back.serving}))
    name = Names(prefix=f"{goal.app}-{goal.environment}-", servers={})
    where = f"{counted(goal.count, 'new server')}, generation {goal.generation}"
    if back.parked:
        where = f"the servers that were kept: {', '.join(name(server.name) for server in back.parked)}"
    text = f"Going back from release {now} to release {goal.release}, on {where}.\n{SCHEMA}"
    console.print(text, highlight=False, markup=False)


def show_returned(state: State, console: Console) -> None:
    """Say who serves now, and how to go forth again."""
    show(state, console)
    newest = state.seen.generation(state.seen.generations()[0])
    text = "\n`fab deploy` brings a new release."
    if all(server.labels.parked for server in newest):
        text = f"\n`fab rotate` puts the servers of release {newest[0].labels.release} in again.{text}"
    console.print(text, highlight=False, markup=False)
