"""Time for tests: it passes only when somebody waits."""

from __future__ import annotations

from tasks.errors import Interrupted


class VirtualClock:
    """A clock that notes every pause and lets none take time."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.stopped = False

    def now(self) -> float:
        """Give the seconds that have been waited."""
        return sum(self.pauses)

    def pause(self, seconds: float) -> None:
        """Let time pass at once."""
        if self.stopped:
            raise Interrupted("stopped while waiting")
        self.pauses.append(seconds)

    def stop(self) -> None:
        """End all waits."""
        self.stopped = True

    def resume(self) -> None:
        """Allow waits again."""
        self.stopped = False
