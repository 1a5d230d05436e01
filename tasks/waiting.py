"""The only module that waits.

Every wait is for an event and has a deadline. Looking again happens on a growing interval, so that a cloud that answers
in a fraction of a second is not kept waiting and one that takes minutes is not flooded. All times are in seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tasks.errors import Interrupted, TimedOut

Seen = TypeVar("Seen")


_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Where time comes from. A simulation brings its own."""

    def now(self) -> float:
        """Give seconds on a clock that never goes back."""

    def pause(self, seconds: float) -> None:
        """Let time pass.

        :raises Interrupted: as soon as the rollout is told to stop.
        """

    def stop(self) -> None:
        """End all waits, those under way and later ones, until `resume`."""

    def resume(self) -> None:
        """Allow waits again."""


class WallClock:
    """Real time, that of a machine's sleep included where the system counts it (Linux).

    `stop` ends every pause that is under way, in every thread, and all later ones.
    """

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> float:
        """Give seconds on a clock that never goes back."""
        return time.clock_gettime(_CLOCK)

    def pause(self, seconds: float) -> None:
        """Let time pass, or raise Interrupted as soon as `stop` is called."""
        if self._stopped.wait(seconds):
            raise Interrupted("stopped while waiting")

    def stop(self) -> None:
        """End all waits: the operator pressed Ctrl-C, or another step has failed."""
        self._stopped.set()

    def resume(self) -> None:
        """Allow waits again: what was begun has to be undone."""
        self._stopped.clear()


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait (`limit`) and how often to look: first after `first`, then ever more slowly, up to `longest`."""

    limit: float
    first: float = 0.05
    longest: float = 5.0
    growth: float = 1.5


def until(look: Callable[[], Seen | None], *, what: str, patience: Patience, clock: Clock) -> Seen:
    """Call `look` until it gives something other than None, and give that.

    `what` completes the sentence "waited 30 s for …".

    :raises TimedOut: when the limit passes first.
    :raises Interrupted: when the clock is stopped.
    """
    deadline = clock.now() + patience.limit
    interval = patience.first
    while True:
        seen = look()
        if seen is not None:
            return seen
        left = deadline - clock.now()
        if left <= 0:
            raise TimedOut(f"waited {patience.limit:g} s for {what}")
        clock.pause(min(interval, left))
        interval = min(interval * patience.growth, patience.longest)


@contextmanager
def beating(act: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call `act` every so many seconds, in a thread of its own, for as long as the context lasts.

    `act` must not raise; a call that is under way at the end is waited for.
    """
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(seconds):
            act()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
