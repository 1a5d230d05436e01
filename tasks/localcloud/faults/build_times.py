"""How long builds take, when they are to take as long as in a real cloud."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class BuildSeconds:
    """The range of build times, in seconds; written `3:8`, or `5` for always the same."""

    least: float = 0.0
    most: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most <= 3600:
            raise ValueError(f"not a range of seconds from 0 to 3600: {self}")

    def __str__(self) -> str:
        return f"{self.least:g}:{self.most:g}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `3:8` or `5`.

        :raises ValueError: it is neither.
        """
        least, is_range, most = text.partition(":")
        return cls(least=float(least), most=float(most if is_range else least))


class BuildTimes:
    """Build times, evenly spread over a range; the same `seed` gives the same ones in the same order."""

    def __init__(self, seconds: BuildSeconds, seed: int | None = None) -> None:
        self._seconds = seconds
        self._random = random.Random(seed)  # noqa: S311  nothing secret depends on it

    def next(self) -> float:
        """Give how long the next build takes, in seconds."""
        return self._random.uniform(self._seconds.least, self._seconds.most)
