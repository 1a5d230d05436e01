"""A change that an API takes only piece by piece. Refuses to know what the pieces are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from tasks.errors import Immutable
from tasks.waiting import Clock, Patience, until

Part = TypeVar("Part")

# For what is changed to take one more part, in seconds.
BETWEEN_PARTS = Patience(limit=120.0)


def in_parts(change: Callable[[Part], object], parts: Sequence[Part], *, what: str, clock: Clock) -> None:
    """Send a change part by part: the first may find `what` busy, the others wait for their turn.

    :raises Immutable: it was busy at the first part; nothing was changed.
    :raises TimedOut: it stayed busy after an earlier part.
    """
    for number, part in enumerate(parts, start=1):
        if number == 1:
            change(part)
        else:
            waited = f"{what} to take part {number} of {len(parts)} of a change"
            until(partial(_accepted, change, part), what=waited, patience=BETWEEN_PARTS, clock=clock)


def _accepted(change: Callable[[Part], object], part: Part) -> bool | None:
    try:
        change(part)
    except Immutable:
        return None
    return True
