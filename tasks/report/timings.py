"""How long things are expected to take: as long as in the last deploys of the same app that went well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from statistics import median

from tasks.outcomes import Outcome
from tasks.report.html.durations import durations
from tasks.report.html.timeline import timeline
from tasks.report.journals import Run, runs

WHOLE = "deploy"
"""Stands for the deploy as a whole, among the stages."""
MOST = 7
LOOKED_AT = 40


def expected_seconds(stage: str, deploys: Path, *, of: str) -> float | None:
    """Give how long a stage is expected to take on a server; None when no deploy has told yet.

    :param stage: as in `wording.STAGES`, or WHOLE.
    :param deploys: the folder of all journals.
    :param of: the app and environment, such as "shop-production".
    """
    return expectations(deploys, of=of).get(stage)


def expectations(deploys: Path, *, of: str) -> Mapping[str, float]:
    """Give the expected seconds of all stages: the median of the last deploys, of each the median of its servers."""
    taken: dict[str, list[float]] = defaultdict(list)
    for run in islice(_gone_well(deploys, of), MOST):
        taken[WHOLE].append(run.seconds)
        for duration in durations(timeline(run).bars):
            taken[duration.stage].append(duration.middle)
    return {stage: median(times) for stage, times in taken.items()}


def _gone_well(deploys: Path, of: str) -> Iterator[Run]:
    """Give the deploys that went well; after many that did not, older ones tell nothing any more."""
    for run in islice(runs(deploys, of=of), LOOKED_AT):
        if run.of("verb") == "deploy" and run.outcome is Outcome.DONE:
            yield run
