"""The time on the cloud's clock, told by the Date of its answers, so that operators whose clocks differ agree on it.

A Date is in whole seconds, and the answer was under way: each one gives bounds for how far the cloud's clock is from
ours, and those of several answers are narrower than of one. Refuses to know what was asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tasks.cloud import answers

# Both go on while a laptop sleeps, which time.monotonic need not; CLOCK_BOOTTIME is Linux's.
_AWAKE_OR_NOT = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
# What a Date leaves off, in seconds.
_TRUNCATED = 1.0


def uptime() -> float:
    """Give seconds on a clock of this machine that never goes back, and goes on while the machine sleeps."""
    return time.monotonic() if _AWAKE_OR_NOT is None else time.clock_gettime(_AWAKE_OR_NOT)


class CloudTime:
    """Follows the clock of one API. Threads may share it.

    :param uptime: seconds on the clock that goes on between two answers.
    """

    def __init__(self, uptime: Callable[[], float] = uptime) -> None:
        self.uptime = uptime
        self.is_heard = False
        self._ahead: tuple[float, float] | None = None
        self._lock = threading.Lock()

    def hear(self, headers: Mapping[str, str], *, since: float) -> None:
        """Take in an answer that has just come, to a request that was sent at `since` on the clock `uptime`.

        One that is out of a cache (it has an Age) or has no Date tells nothing. When an answer cannot be reconciled
        with those before, somebody has set the cloud's clock: only the newest counts.
        """
        date = answers.moment(headers.get("Date", ""))
        received = self.uptime()
        with self._lock:
            self.is_heard = True
            if date is None or "Age" in headers:
                return
            told = (date.timestamp() - received, date.timestamp() + _TRUNCATED - since)
            least, most = self._ahead or told
            both = (max(least, told[0]), min(most, told[1]))
            self._ahead = both if both[0] <= both[1] else told

    def now(self) -> datetime:
        """Give the time, to about half of the fastest round trip; this machine's own while no answer has told it.

        It may go back, by the little that a further answer corrects, or when somebody sets the cloud's clock back.
        """
        with self._lock:
            ahead = self._ahead
        if ahead is None:
            return datetime.now(UTC)
        return datetime.fromtimestamp(self.uptime() + sum(ahead) / 2, UTC)
