"""The task that clears away what is left over."""

from __future__ import annotations

from invoke.context import Context

from tasks.command import command
from tasks.deploy import ENVIRONMENT


@command(
    help={
        "yes": "Delete them; without it they are listed only.",
        "json": "As JSON, for programs.",
        "environment": ENVIRONMENT,
    }
)
def reap(_c: Context, *, yes: bool = False, json: bool = False, environment: str | None = None) -> None:
    """List what is ours and serves nobody; `--yes` deletes it.

    Servers in no rotation, parked ones whose time has passed, nodes whose server is gone, keypairs and images that no
    server uses. What somebody is at work on, or keeps for a rollback, is not listed, and what is not ours never is.
    Exit codes: 0 done, 3 the cloud refused, and with `--yes` 6 another operator is at work, 7 something remains or a
    deploy was interrupted in its rotation and has to be finished or undone first.
    """
    from tasks import wiring
    from tasks.report.consoles import terminal
    from tasks.report.reaped import print_json, show
    from tasks.settings_file import load

    reaped = wiring.left_overs(load(environment=environment), delete=yes)
    if json:
        print_json(reaped)
    else:
        show(reaped, terminal())
