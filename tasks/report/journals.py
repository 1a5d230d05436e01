"""Journals, read back: what was run on this machine, when and how it ended. They are records, and may be cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.operators import has_ended
from tasks.outcomes import Outcome

JOURNAL = "journal.jsonl"
REPORT = "report.html"
SCHEMA = 1
"""Of the journals that are understood here."""
Line = Mapping[str, Any]
NONE: Line = {}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as its journal tells it. `lines` are in their order; the first one says what was begun."""

    path: Path
    lines: tuple[Line, ...]

    @property
    def begun(self) -> Line:
        """What was begun."""
        return self.lines[0]

    @property
    def ended(self) -> Line:
        """How it ended; empty when the journal does not tell."""
        return next((line for line in reversed(self.lines) if line["event"] == "ended"), NONE)

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None when it is at work, or was killed."""
        try:
            return Outcome(self.ended.get("outcome", ""))
        except ValueError:
            return None

    @property
    def result(self) -> str:
        """How it ended, for people."""
        if self.outcome:
            return self.outcome.words
        return "killed" if has_ended(str(self.begun.get("process", ""))) else "at work, or killed"

    @property
    def when(self) -> datetime:
        """When it began."""
        try:
            return datetime.fromisoformat(str(self.begun["time"]))
        except (KeyError, ValueError):
            return datetime.fromtimestamp(0, tz=UTC)

    @property
    def seconds(self) -> float:
        """How long it took, or has taken until the last thing that is known of it."""
        return max(at(line) for line in self.lines) - at(self.begun)

    @property
    def report(self) -> Path:
        """Where its report is, or would be."""
        return self.path.with_name(REPORT)

    @property
    def prefix(self) -> str:
        """What the names of all its servers and load balancers begin with."""
        return f"{self.of('app')}-{self.of('environment')}-"

    def of(self, name: str) -> str:
        """Give what the first line says of something; empty when it says nothing."""
        return str(self.begun.get(name, ""))


def at(line: Line) -> float:
    """Give when something happened, in seconds since the run was first heard of."""
    moment = line.get("at", 0.0)
    return float(moment) if isinstance(moment, int | float) else 0.0


def read(path: Path) -> Run | None:
    """Read a journal; None when there is none, it is of another schema, or does not begin with what was begun."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return None
    lines = tuple(_objects(text))
    is_known = bool(lines) and lines[0]["event"] == "begun" and lines[0].get("schema") == SCHEMA
    return Run(path=path, lines=lines) if is_known else None


def runs(deploys: Path, *, of: str = "*") -> Iterator[Run]:
    """Read the journals below a folder, the latest first. The folder of each is named after its time.

    :param of: those of one app and environment, such as "shop-production".
    """
    for path in sorted(deploys.glob(f"{of}/*/{JOURNAL}"), key=lambda path: path.parent.name, reverse=True):
        found = read(path)
        if found:
            yield found


def _objects(text: str) -> Iterator[Line]:
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except ValueError:  # cut off when its writer was killed
            continue
        if isinstance(found, dict) and isinstance(found.get("event"), str):
            yield found
