"""Time for tests: it passes only when somebody waits."""

from __future__ import annotations


class VirtualClock:
    """A clock that notes every pause and lets none take time."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def now(self) -> float:
        """Give the seconds that have been waited."""
        return sum(self.pauses)

    def pause(self, seconds: float) -> None:
        """Let time pass at once."""
        self.pauses.append(seconds)
