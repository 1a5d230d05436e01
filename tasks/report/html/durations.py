"""How long each stage took: over the servers of one run, the shortest, the middle one and the longest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from tasks.report.html.model import Bar, State


@dataclass(frozen=True, kw_only=True)
class Duration:
    """Seconds that a stage took, where it ended well so many `times`."""

    stage: str
    times: int
    least: float
    middle: float
    most: float


def durations(bars: Iterable[Bar]) -> tuple[Duration, ...]:
    """Give the durations of all stages that ended well, in the order in which they were first begun."""
    taken: dict[str, list[float]] = {}
    for bar in sorted(bars, key=lambda bar: bar.began):
        if bar.state is State.DONE:
            taken.setdefault(bar.stage, []).append(bar.seconds)
    return tuple(
        Duration(stage=stage, times=len(each), least=min(each), middle=median(each), most=max(each))
        for stage, each in taken.items()
    )
