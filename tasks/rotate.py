"""The task that changes who gets traffic, and nothing else."""

from __future__ import annotations

from invoke.context import Context

from tasks.command import command
from tasks.deploy import ADOPT, ENVIRONMENT, EVENTS, WAIT


@command(
    help={
        "count": "Only a generation with this many servers.",
        "release": "Only a generation of this release: its id, a git revision, or the path of a built artifact.",
        "environment": ENVIRONMENT,
        "wait": WAIT,
        "adopt": ADOPT,
        "events": EVENTS,
    }
)
def rotate(  # noqa: PLR0913  the signature is the command line
    _c: Context,
    count: int | None = None,
    release: str | None = None,
    environment: str | None = None,
    *,
    wait: bool = False,
    adopt: bool = False,
    events: str | None = None,
) -> None:
    """Put the newest ready servers in, take the others out.

    The others are drained, and deleted or parked.
    A generation is ready when its migrations ran and every server has passed set-up, tests and check. If anything
    fails, the old nodes are put back and the new servers are kept, so that it can be tried again.
    Exit codes: as those of `deploy`.
    """
    from tasks import wiring, wiring_goals
    from tasks.recording import recorded
    from tasks.report.status import show
    from tasks.rollout import deploying, fleet
    from tasks.settings_file import load

    settings = load(environment=environment)
    with wiring.open_site(settings, wait=wait, adopt=adopt, events=events) as opened:
        seen = opened.site.observe_alone()
        wanted = release if release in fleet.releases(seen) else wiring_goals.release_id(settings, release)
        ready = fleet.newest_ready(seen, release=wanted, count=count)
        goal = wiring_goals.goal_of(settings, ready)
        with recorded("rotate", goal, opened):
            state = wiring.state(settings, deploying.rotate(goal, opened.site))
        show(state, opened.console)
