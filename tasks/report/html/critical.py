"""The critical path: the chain of bars that a run had to wait for, from its first to its last.

A step begins as soon as it can: right after whatever ended last before it. So the chain is read from the end, each time
to the bar that had just ended. What is done more quickly on it makes the whole run shorter; all else does not.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasks.report.html.model import Bar, State

AT_ONCE = 0.005
"""Seconds that the loop may need between an end and the beginning that follows from it."""


def critical(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    """Give the bars of the critical path, the first one first.

    What was told to stop because something else failed was not waited for: the failure was.
    """
    left = list(bars)
    if any(bar.state is State.FAILED for bar in left):
        left = [bar for bar in left if bar.state is not State.STOPPED]
    path: list[Bar] = []
    last = max(left, key=lambda bar: bar.ended, default=None)
    while last:
        path.append(last)
        left.remove(last)
        last = _before(last, left)
    return tuple(reversed(path))


def _before(bar: Bar, others: list[Bar]) -> Bar | None:
    """Give what a bar has waited for: of what ended at that moment the one in its own place, else the last to end."""
    earlier = [other for other in others if other.ended <= bar.began + AT_ONCE and other.began <= bar.began]
    same = [other for other in earlier if other.where == bar.where and other.ended >= bar.began - AT_ONCE]
    return max(same or earlier, key=lambda other: (other.ended, other.began), default=None)
