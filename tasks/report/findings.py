"""What was found out about what a deploy needs: a line each, what mends it below it, and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.findings import Finding, not_well


def show(found: Sequence[Finding], console: Console) -> None:
    """Print a line for each; what mends something stands below it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", ratio=1)
    for finding in found:
        mark = Text("ok", style="green") if finding.ok else Text("not ok", style="bold red")
        table.add_row(mark, Text(finding.what), _said(finding))
    console.print(table)
    if not not_well(found):
        console.print("\nAll is well: `fab deploy` can go ahead.", highlight=False)


def _said(finding: Finding) -> Text:
    said = Text(finding.seen)
    return said.append(f"\n→ {finding.remedy}", style="" if finding.ok else "bold") if finding.remedy else said


def as_json(found: Sequence[Finding]) -> dict[str, Any]:
    """Give the findings as JSON values. Keys stay; new ones may come. `remedy` is null where there is none."""
    return {
        "ok": not not_well(found),
        "findings": [{"what": one.what, "ok": one.ok, "seen": one.seen, "remedy": one.remedy or None} for one in found],
    }


def print_json(found: Sequence[Finding]) -> None:
    """Print them for programs."""
    sys.stdout.write(json.dumps(as_json(found), indent=2) + "\n")
