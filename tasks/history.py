"""The task that tells what was run on this machine."""

from __future__ import annotations

import sys

from invoke.context import Context

from tasks.command import command


@command(
    help={
        "last": "How many runs are listed.",
        "json": "As JSON, for programs.",
        "report": "Print where the report of the latest run is, and nothing else; it is made again if it is gone.",
    }
)
def history(_c: Context, *, last: int = 20, json: bool = False, report: bool = False) -> None:
    """List the deploys of this machine, and how they ended.

    Rotations, rollbacks and whatever else changed something as well, the latest first, of all apps and environments,
    from their journals: those of other machines are there.
    Exit codes: 0 done, 2 with `--report`, nothing was run yet.
    """
    from tasks import wiring
    from tasks.report import history as told
    from tasks.report.consoles import terminal

    found = told.latest(wiring.state_folder() / "deploys", last)
    if report:
        sys.stdout.write(f"{told.report_of(found)}\n")
    elif json:
        told.print_json(found)
    else:
        told.show(found, terminal())
