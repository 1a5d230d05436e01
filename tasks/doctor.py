"""The task that looks at everything a deploy will need."""

from __future__ import annotations

from invoke.context import Context

from tasks.command import command
from tasks.deploy import ENVIRONMENT


@command(help={"json": "As JSON, for programs.", "environment": ENVIRONMENT})
def doctor(_c: Context, environment: str | None = None, *, json: bool = False) -> None:
    """Check what a deploy will need, and say what mends it.

    Settings, secrets, bootstrap scripts, keys, the release (it is built), the gateway, what the local cloud needs of
    this machine, credentials, image, flavor, networks, quotas, load balancers, who is at work, and the check on the
    servers that serve. Changes nothing; a local cloud that does not run is not started.
    Exit codes: 0 all is well, 2 settings are wrong, 3 something else is not as a deploy needs it.
    """
    from tasks import findings, wiring_checkup
    from tasks.report import findings as told
    from tasks.report.consoles import terminal

    found = wiring_checkup.examine(environment)
    if json:
        told.print_json(found)
    else:
        told.show(found, terminal())
    findings.require(found)
