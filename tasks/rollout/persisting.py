"""Doing again what may be done twice, when the answer was lost: labels, conditions, deletes, never creates."""

from __future__ import annotations

from collections.abc import Callable

from tasks.errors import CloudUnreachable, TimedOut, Uncertain
from tasks.waiting import Clock, Patience, until

PATIENCE = Patience(limit=30.0, first=0.25, longest=5.0)


def surely(act: Callable[[], None], *, what: str, clock: Clock) -> None:
    """Do something until it is known to be done, for thirty seconds.

    :raises Uncertain: every answer was lost.
    :raises CloudUnreachable: the API could not be reached.
    :raises CloudError: the API refused; that is not tried again.
    """
    lost: list[Uncertain | CloudUnreachable] = []

    def attempt() -> bool | None:
        try:
            act()
        except (Uncertain, CloudUnreachable) as setback:
            lost.append(setback)
            return None
        return True

    try:
        until(attempt, what=what, patience=PATIENCE, clock=clock)
    except TimedOut:
        raise lost[-1] from None
