"""What was run on this machine, as a table and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.errors import SettingsError
from tasks.report.html.writing import write
from tasks.report.journals import Run, runs
from tasks.report.times import iso
from tasks.report.wording import counted

NOTHING = "Nothing was run on this machine yet; `fab deploy` is the first thing to be listed here."


def latest(deploys: Path, most: int) -> list[Run]:
    """Read the latest runs, of all apps and environments."""
    return list(islice(runs(deploys), max(0, most)))


def report_of(found: list[Run]) -> Path:
    """Give the report of the latest run; one that was killed has none yet, and gets one.

    :raises SettingsError: there is no run, or the report can not be written.
    """
    if not found:
        raise SettingsError("there is no report", advice=NOTHING)
    path = found[0].path
    try:
        return found[0].report if found[0].report.exists() else write(path)
    except OSError as error:
        raise SettingsError(f"the report of {path} can not be written: {error.strerror}") from error


def show(found: Iterable[Run], console: Console) -> None:
    """Print a line for each run, the latest first, and where the latest one's report is."""
    listed = list(found)
    if not listed:
        console.print(NOTHING, highlight=False, markup=False)
        return
    console.print(_table(listed))
    console.print(f"{counted(len(listed), 'run')}; the latest: {listed[0].report}", soft_wrap=True, highlight=False)


def print_json(found: Iterable[Run]) -> None:
    """Print the same for programs."""
    sys.stdout.write(json.dumps([as_json(run) for run in found], indent=2) + "\n")


def as_json(run: Run) -> dict[str, Any]:
    """Give a run as JSON values. `outcome` and `exit_code` are null when its journal does not tell."""
    outcome = run.outcome
    named = {name: run.of(name) for name in ("verb", "app", "environment", "release", "generation", "owner", "cloud")}
    return {
        "began": iso(run.when),
        **named,
        "seconds": round(run.seconds, 3),
        "outcome": outcome.value if outcome else None,
        "exit_code": outcome.exit_code if outcome else None,
        "result": run.result,
        "error": run.ended.get("error"),
        "journal": str(run.path),
        "report": str(run.report) if run.report.exists() else None,
    }


def _table(listed: list[Run]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("When (UTC)", "Verb", "To", "Release", "Took"):
        table.add_column(heading, no_wrap=True, overflow="fold", justify="right" if heading == "Took" else "left")
    table.add_column("Outcome", overflow="fold")
    for run in listed:
        to = f"{run.of('app')}/{run.of('environment')}"
        cells = (f"{run.when.astimezone(UTC):%Y-%m-%d %H:%M}", run.of("verb"), to, run.of("release") or "-", _took(run))
        table.add_row(*map(Text, cells), _outcome(run))
    return table


def _took(run: Run) -> str:
    minutes, seconds = divmod(round(run.seconds), 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{run.seconds:.1f} s"


def _outcome(run: Run) -> Text:
    outcome = run.outcome
    if outcome is None:
        return Text(run.result, style="yellow")
    code = f" (exit {outcome.exit_code})" if outcome.exit_code else ""
    return Text(f"{outcome.words}{code}", style="red" if outcome.exit_code else "green")
