"""The task that changes who gets traffic, and nothing else."""

from __future__ import annotations

from invoke.context import Context

from tasks.command import command
from tasks.deploy import ENVIRONMENT


@command(
    help={
        "count": "Only a generation with this many servers.",
        "release": "Only a generation of this release: its id, a git revision, or the path of a built artifact.",
        "environment": ENVIRONMENT,
    }
)
def rotate(_c: Context, count: int | None = None, release: str | None = None, environment: str | None = None) -> None:
    """Put the newest ready servers in, take the others out.

    The others are drained and deleted.
    A generation is ready when its migrations ran and every server has passed set-up, tests and check. If anything
    fails, the old nodes are put back and the new servers are kept, so that it can be tried again.
    """
    from tasks import wiring
    from tasks.report.status import show
    from tasks.rollout import deploying, fleet
    from tasks.settings_file import load

    settings = load(environment=environment)
    with wiring.open_site(settings) as opened:
        seen = opened.site.observe()
        wanted = release if release in fleet.releases(seen) else wiring.release_id(settings, release)
        ready = fleet.newest_ready(seen, release=wanted, count=count)
        state = wiring.state(settings, deploying.rotate(wiring.goal_of(settings, ready), opened.site))
        show(state, opened.console)
