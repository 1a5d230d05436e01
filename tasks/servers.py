"""The tasks on servers as such."""

from __future__ import annotations

from invoke.context import Context

from tasks.command import command
from tasks.deploy import ENVIRONMENT, RELEASE_HELP


@command(name="list", help={"environment": ENVIRONMENT})
def list_servers(_c: Context, environment: str | None = None) -> None:
    """List our servers, newest generation first."""
    from tasks import wiring
    from tasks.report.consoles import terminal
    from tasks.report.status import servers_table
    from tasks.settings_file import load

    settings = load(environment=environment)
    terminal().print(servers_table(wiring.state(settings, wiring.look(settings))))


@command(help={**RELEASE_HELP, "json": "As JSON, for programs: their generation, its release, and themselves."})
def create(
    _c: Context,
    count: int | None = None,
    release: str | None = None,
    environment: str | None = None,
    *,
    json: bool = False,
) -> None:
    """Build new servers; nothing runs on them yet.

    Returns when they are ACTIVE. `fab setup migrate test check` brings them to ready, `fab rotate` puts them into
    rotation. On a failure the new servers are deleted again. With `--json`, progress goes to standard error.
    """
    from tasks import wiring, wiring_goals
    from tasks.recording import recorded
    from tasks.report.consoles import aside, terminal
    from tasks.report.status_json import print_generation
    from tasks.report.summary import announce
    from tasks.rollout import deploying
    from tasks.settings_file import load

    settings = load(count=count, environment=environment)
    with wiring.open_site(settings, console=aside() if json else terminal()) as opened:
        built = wiring_goals.build_release(settings, release)
        goal = wiring_goals.new_goal(settings, built.id, opened.site.compute.now())
        announce(goal, built, opened.console)
        with recorded("servers.create", goal, opened):
            state = wiring.state(settings, deploying.create(goal, opened.site))
    if json:
        print_generation(state, goal.generation)


@command(
    help={"server": "Its name, id or private IP; without it, all that serve no traffic.", "environment": ENVIRONMENT}
)
def retire(_c: Context, server: str | None = None, environment: str | None = None) -> None:
    """Delete servers that serve no traffic.

    One that a load balancer knows is refused.
    """
    from tasks import wiring, wiring_goals
    from tasks.recording import recorded
    from tasks.rollout import deploying, fleet
    from tasks.settings_file import load

    settings = load(environment=environment)
    with wiring.open_site(settings) as opened:
        seen = opened.site.observe_alone()
        servers = (fleet.named(seen, server),) if server else fleet.idle(seen)
        opened.console.print(f"Deleting {fleet.names(servers)}.", highlight=False)
        goal = wiring_goals.goal_of(settings, servers)
        with recorded("servers.retire", goal, opened):
            deploying.retire(servers, goal, opened.site)


@command(help={"server": "Its name, id or private IP.", "environment": ENVIRONMENT})
def console(_c: Context, server: str, environment: str | None = None) -> None:
    """Print a server's console log."""
    from tasks import wiring
    from tasks.report.status import print_console
    from tasks.rollout import fleet
    from tasks.settings_file import load

    settings = load(environment=environment)
    with wiring.open_site(settings) as opened:
        found = fleet.named(opened.site.observe(), server)
        print_console(opened.site.compute.console(found.id))
