"""What something was a while ago, for lists that are answered from a copy that lags behind."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")

KEPT_SECONDS = 3600.0


class Past(Generic[Value]):
    """Every value of something within the last hour. `clock` counts seconds."""

    def __init__(self, value: Value, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values = deque([(clock(), value)])

    def note(self, value: Value) -> None:
        """Say what it is from now on."""
        now = self._clock()
        self._values.append((now, value))
        while self._values[1][0] < now - KEPT_SECONDS:
            self._values.popleft()

    def ago(self, seconds: float) -> Value:
        """Give what it was so many seconds ago; what it was at first, if that is longer than is known."""
        moment = self._clock() - seconds
        known = (value for noted, value in reversed(self._values) if noted <= moment)
        return next(known, self._values[0][1])
