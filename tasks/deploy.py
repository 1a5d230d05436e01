"""The tasks that look at or change everything: deploy, plan, status."""

from __future__ import annotations

from functools import partial

from invoke.context import Context

from tasks.command import command

COUNT = "How many servers; without it, the setting `count`."
RELEASE = "A git revision, or a built artifact (id or path); without it, the app as it is in the work tree."
ENVIRONMENT = "Which environment; without it, the setting `environment`."
RELEASE_HELP = {"count": COUNT, "release": RELEASE, "environment": ENVIRONMENT}


@command(help=RELEASE_HELP)
def deploy(_c: Context, count: int | None = None, release: str | None = None, environment: str | None = None) -> None:
    """Replace every server by a new one, while the site is up.

    Builds the release, boots servers, sets them up over SSH, migrates once, runs the app's own tests on each, checks
    them, puts them behind the load balancers, drains the old ones and deletes them.

    The servers that serve are untouched until every new one has passed everything. If anything fails before that, or
    you press Ctrl-C, only the new servers are deleted; during the rotation the old ones are put back first.
    Exit codes: 0 done, 2 settings, 3 the cloud refused, 4 new servers failed and were removed, 5 reverted after the
    rotation began, 7 something remains that needs a hand.
    """
    from tasks import wiring
    from tasks.report.summary import announce, show_summary
    from tasks.rollout import deploying
    from tasks.settings_file import load

    settings = load(count=count, environment=environment)
    with wiring.open_site(settings) as opened:
        built = wiring.build_release(settings, release)
        goal = wiring.new_goal(settings, built.id)
        announce(goal, built, opened.console)
        state = wiring.state(settings, deploying.deploy(goal, opened.site))
        show_summary(state, built, opened.progress.stages, opened.records, opened.console)


@command(help=RELEASE_HELP)
def plan(_c: Context, count: int | None = None, release: str | None = None, environment: str | None = None) -> None:
    """Show what `deploy` would do; change nothing.

    The release is built, so that its name is known; no server, node or load balancer is touched. If no cloud is
    configured and the local cloud does not run, it is not started: a deploy would begin with nothing.
    """
    from tasks import wiring
    from tasks.report.consoles import terminal
    from tasks.report.plan import show_plan
    from tasks.rollout.forecast import forecast
    from tasks.rollout.planning import plan as planner
    from tasks.settings_file import load

    settings = load(count=count, environment=environment)
    seen = wiring.look(settings)
    goal = wiring.new_goal(settings, wiring.build_release(settings, release).id)
    show_plan(forecast(partial(planner, goal), goal, seen), goal, seen, terminal())


@command(help={"json": "As JSON, for programs.", "environment": ENVIRONMENT})
def status(_c: Context, json: bool = False, environment: str | None = None) -> None:
    """Show the servers, and who gets traffic."""
    from tasks import wiring
    from tasks.report.consoles import terminal
    from tasks.report.status import print_json, show
    from tasks.settings_file import load

    settings = load(environment=environment)
    state = wiring.state(settings, wiring.look(settings))
    if json:
        print_json(state)
    else:
        show(state, terminal())
