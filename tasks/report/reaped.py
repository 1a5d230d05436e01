"""Left-overs, as operators and as programs read them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.report.times import iso, span
from tasks.report.wording import counted
from tasks.rollout.reaping import LeftOver


@dataclass(frozen=True, kw_only=True)
class Reaped:
    """What was left over. `now` is on the cloud's clock; `is_deleted` says that none of it is there any more."""

    now: datetime
    found: tuple[LeftOver, ...] = ()
    is_deleted: bool = False


def show(reaped: Reaped, console: Console) -> None:
    """Print what was found, how old it is and why nobody needs it, and what became of it."""
    if not reaped.found:
        console.print("Nothing is left over.")
        return
    console.print(_table(reaped))
    kinds = Counter(one.kind for one in reaped.found)
    what = ", ".join(counted(number, kind) for kind, number in kinds.items())
    console.print(f"\n{what} deleted." if reaped.is_deleted else f"\n{what}: `fab reap --yes` deletes them.")


def print_json(reaped: Reaped) -> None:
    """Print what was found for programs."""
    sys.stdout.write(json.dumps(as_json(reaped), indent=2) + "\n")


def as_json(reaped: Reaped) -> dict[str, Any]:
    """Give what was found as JSON values. Where the cloud does not tell an age it is null."""
    found = [
        {
            "kind": one.kind,
            "name": one.name,
            "why": one.why,
            "since": iso(one.since) if one.since else None,
            "age_seconds": round((reaped.now - one.since).total_seconds()) if one.since else None,
        }
        for one in reaped.found
    ]
    return {"deleted": reaped.is_deleted, "left_overs": found}


def _table(reaped: Reaped) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Left over", "Age", "Name", "Why"):
        table.add_column(heading, no_wrap=heading != "Why", overflow="fold")
    for one in reaped.found:
        age = span(reaped.now - one.since) if one.since else "?"
        table.add_row(*map(Text, (one.kind, age, one.name, one.why)))  # a plain str would be read as markup
    return table
