"""Figures: measured several times, shown as a table, kept as JSON. Says nothing about what is good enough."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parents[2] / "build" / "benchmarks"
RUNS = 5


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One thing that was measured in every run; `goal` is what the project aims at, in the same unit."""

    what: str
    unit: str
    values: Sequence[float]
    goal: float | None = None

    @property
    def row(self) -> tuple[str, ...]:
        """Give minimum, median, maximum and goal, in words."""
        middle = statistics.median(self.values)
        shown = [f"{value:.2f}" for value in (min(self.values), middle, max(self.values))]
        return self.what, *shown, f"≤ {self.goal:g}" if self.goal else "", self.unit


def report(name: str, figures: Iterable[Figure]) -> Path:
    """Show the figures, and keep them in a JSON file; gives the file."""
    found = list(figures)
    table = Table(title=f"\n{name}: {len(found[0].values)} runs on {os.cpu_count()} cores", title_justify="left")
    for heading in ("", "min", "median", "max", "goal", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for figure in found:
        table.add_row(*figure.row)
    path = FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()}
    path.write_text(json.dumps({**machine, "figures": [asdict(figure) for figure in found]}, indent=2) + "\n")
    Console(width=100).print(table, f"written to {path}")
    return path
