"""What there is after a failure was undone, in words: who serves, what was deleted, what remains, what removes it."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.rollout.fleet import names, what_serves
from tasks.rollout.goal import Goal
from tasks.rollout.model import Server
from tasks.rollout.observation import Observation

AGAIN = "`fab deploy` tries again."


def aftermath(goal: Goal, before: Observation, after: Observation, *, who: str) -> str:
    """Say what an undoing has led to, from what there was before it and after it.

    :param who: those who serve, such as "Serving as before".
    """
    return f"{who}: {what_serves(after)}. {_left(goal, before, after)}"


def kept_of(goal: Goal, after: Observation) -> Server | None:
    """Give the failed server of this rollout that was kept for somebody to look at; None when there is none."""
    return next((server for server in after.kept if server.generation == goal.generation), None)


def _left(goal: Goal, before: Observation, after: Observation) -> str:
    new, kept = after.generation(goal.generation), kept_of(goal, after)
    if new:
        return f"Out of rotation, and kept so that it can be tried again: {names(new)}.{_removal(new)}"
    number = sum(1 for server in before.generation(goal.generation) if after.server(server.id) is None)
    deleted = f"Deleted: {number} new server{'s' if number > 1 else ''}" if number else ""
    if kept is None:
        return f"{deleted}; none is left. {AGAIN}" if deleted else f"No new server is left; {AGAIN}"
    until = f" until {_clock(kept.kept_until)}" if kept.kept_until else ""
    return (
        f"{f'{deleted}. ' if deleted else ''}{AGAIN}\n"
        f"{kept.name} is kept{until}, out of rotation; `fab servers.retire --server {kept.name}` deletes it."
    )


def _removal(servers: tuple[Server, ...]) -> str:
    """Name the command that deletes servers, where it does: those that are parked are not left over."""
    is_parked = any(server.labels.parked for server in servers)
    return "" if is_parked else "\n`fab rotate` tries again; `fab reap --yes` deletes what is in no rotation."


def _clock(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
