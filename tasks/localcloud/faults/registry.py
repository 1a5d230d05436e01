"""The faults that are armed, and how often each has struck.

Pure: whoever serves requests, builds servers or answers SSH asks `take` at the place where a fault can strike, and does
what its name says. Safe to ask from any thread.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from tasks.localcloud.faults.names import FaultName

log = logging.getLogger(__name__)

UNTIL_CLEARED = 0
_STRIKES_KEPT = 20
_LINE = 200


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault that somebody has asked for.

    It strikes `times` times (0: until it is cleared), at occasions about which is said what `match` says, after the
    first `after` of those have passed. `seconds` is how long it lasts or delays.
    """

    name: FaultName
    times: int = 1
    seconds: float = 10.0
    match: str = ""
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class Armed:
    """A fault, and what has become of it; `id` tells it from another of its name.

    `strikes` are the last things it struck, each on one line.
    """

    id: int
    fault: Fault
    passed: int = 0
    struck: int = 0
    strikes: tuple[str, ...] = ()

    @property
    def spent(self) -> bool:
        """Whether it has struck as often as was asked for."""
        return self.fault.times != UNTIL_CLEARED and self.struck >= self.fault.times

    def concerns(self, name: FaultName, about: str) -> bool:
        """Whether this is an occasion for it."""
        return self.fault.name is name and not self.spent and self.fault.match in about

    def after_strike(self, about: str) -> Armed:
        """Give what it is after one more strike."""
        return replace(self, struck=self.struck + 1, strikes=(*self.strikes, about)[-_STRIKES_KEPT:])


class Faults:
    """All faults that were asked for since the last clearing, spent ones included."""

    def __init__(self) -> None:
        self._armed: dict[int, Armed] = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Fault], None]] = []

    def arm(self, fault: Fault) -> Armed:
        """Let a fault strike from now on. Several of one name strike one after the other."""
        armed = Armed(id=next(self._ids), fault=fault)
        with self._lock:
            self._armed[armed.id] = armed
        log.info("fault %s is armed: %s", fault.name, fault)
        for told in self._listeners:
            told(fault)
        return armed

    def tell(self, listener: Callable[[Fault], None]) -> None:
        """Tell somebody of every fault that is armed from now on: some strike without an occasion to wait for."""
        self._listeners.append(listener)

    def take(self, name: FaultName, *, about: str) -> Fault | None:
        """Give the fault that strikes now, counted down, or None. `about` says what it would strike.

        Of several, the one that was armed first strikes; those whose `after` has not passed yet count the occasion.
        """
        with self._lock:
            for armed in self._armed.values():
                if armed.concerns(name, about) and self._strikes(armed, _on_one_line(about)):
                    return armed.fault
        return None

    def all(self) -> list[Armed]:
        """List what was asked for, oldest first."""
        with self._lock:
            return list(self._armed.values())

    def clear(self, name: FaultName | None = None) -> int:
        """Forget all faults, or those of one name; gives how many. What one of them has begun goes on to its end."""
        with self._lock:
            gone = [armed.id for armed in self._armed.values() if name in {None, armed.fault.name}]
            for armed_id in gone:
                del self._armed[armed_id]
        return len(gone)

    def _strikes(self, armed: Armed, about: str) -> bool:
        """Count an occasion; say whether the fault's turn has come."""
        if armed.passed < armed.fault.after:
            self._armed[armed.id] = replace(armed, passed=armed.passed + 1)
            return False
        log.warning("fault %s strikes %s", armed.fault.name, about)
        self._armed[armed.id] = armed.after_strike(about)
        return True


def _on_one_line(about: str) -> str:
    """Make a text fit for a line of a log or a list, whatever is in it: commands may be long and have line ends."""
    return about.encode("unicode_escape").decode()[:_LINE]
