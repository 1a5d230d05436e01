"""The tasks that look at or change everything: deploy, plan, status."""

from __future__ import annotations

from invoke.context import Context
from invoke.exceptions import Exit

from tasks.command import command

COUNT = "How many servers; without it, the setting `count`."
RELEASE = "A git revision, or a built artifact (id or path); without it, the app as it is in the work tree."
ENVIRONMENT = "Which environment; without it, the setting `environment`."
WAIT = "Wait for another operator who is at work, for up to the setting `limits.wait`."
KEEP_FAILED = "Keep one server that failed for two hours, out of rotation, and say how to log in to it."
ADOPT = "Take over load balancers of these names that were made by hand; nodes that are not ours stay."
VERBOSE = "Show every line that a command on a server prints, after the server's name."
EVENTS = 'Stream the journal, a line of JSON an event, to this file; "-" = standard output, all else to standard error.'
CHANGE = 8
"""Exits `plan --exit-code`. It is no failure, so it is none of the exit codes of errors."""
RELEASE_HELP = {"count": COUNT, "release": RELEASE, "environment": ENVIRONMENT}


@command(
    help={
        **RELEASE_HELP,
        "wait": WAIT,
        "adopt": ADOPT,
        "keep_failed": KEEP_FAILED,
        "verbose": VERBOSE,
        "events": EVENTS,
    }
)
def deploy(  # noqa: PLR0913  the signature is the command line
    _c: Context,
    count: int | None = None,
    release: str | None = None,
    environment: str | None = None,
    *,
    wait: bool = False,
    adopt: bool = False,
    keep_failed: bool = False,
    verbose: bool = False,
    events: str | None = None,
) -> None:
    """Replace every server by a new one, while the site is up.

    Builds the release, boots servers, sets them up over SSH, migrates once, runs the app's own tests on each, checks
    them, puts them behind the load balancers, watches them, drains the old ones and deletes or parks them.

    The servers that serve are untouched until every new one has passed everything. If anything fails before that, or
    you press Ctrl-C, only the new servers are deleted; during the rotation the old ones are put back first. A deploy
    that was interrupted is gone on with, if it was of the same release, and undone first, if it was of another one.
    With `--keep-failed`, one server that failed is kept for you to log in to; no later deploy uses or deletes it.
    Exit codes: 0 done, 2 settings, 3 the cloud refused, 4 new servers failed and were removed, 5 reverted after the
    rotation began, 6 another operator is at work, 7 something remains that needs a hand.
    """
    from tasks import wiring, wiring_goals
    from tasks.recording import recorded
    from tasks.report.summary import announce, show_summary
    from tasks.rollout import deploying
    from tasks.settings_file import load

    settings = load(count=count, environment=environment)
    with wiring.open_site(settings, wait=wait, adopt=adopt, events=events, verbose=verbose) as opened:
        built = wiring_goals.build_release(settings, release)
        goal = wiring_goals.new_goal(settings, built.id, opened.site.compute.now())
        goal = wiring_goals.keeping_failed(goal) if keep_failed else goal
        announce(goal, built, opened.console)
        with recorded("deploy", goal, opened):
            state = wiring.state(settings, deploying.deploy(goal, opened.site))
        show_summary(state, built, opened.progress.figures, opened.records, opened.console)


@command(
    help={**RELEASE_HELP, "json": "As JSON, for programs.", "exit_code": f"Exit {CHANGE} when something would change."}
)
def plan(
    _c: Context,
    count: int | None = None,
    release: str | None = None,
    environment: str | None = None,
    *,
    json: bool = False,
    exit_code: bool = False,
) -> None:
    """Show what `deploy` would do; change nothing.

    Who comes and who goes, how much of the quota it takes, every step in its order, and until which step nothing that
    serves is touched. The release is built, so that its name is known; no server, node or load balancer is touched. If
    no cloud is configured and the local cloud does not run, it is not started: a deploy would begin with nothing.
    With `--exit-code` it exits 0 when the release serves already on as many servers, so that a deploy would only renew
    them, and 8 when something would change (as `terraform plan -detailed-exitcode` exits 2, which means the settings
    here).
    """
    from tasks import wiring, wiring_goals
    from tasks.report.consoles import terminal
    from tasks.report.plan import show_plan
    from tasks.report.plan_json import print_json
    from tasks.report.reckoning import reckon
    from tasks.settings_file import load

    settings = load(count=count, environment=environment)
    goal = wiring_goals.new_goal(settings, wiring_goals.build_release(settings, release).id)
    foreseen = wiring.foresee(settings, goal)
    if json:
        print_json(foreseen)
    else:
        show_plan(foreseen, terminal())
    if exit_code and reckon(foreseen).is_change:
        raise Exit(code=CHANGE)


@command(
    help={
        "json": "As JSON, for programs.",
        "watch": "Look again every few seconds, until Ctrl-C; with --json, a line whenever something has changed.",
        "environment": ENVIRONMENT,
    }
)
def status(_c: Context, json: bool = False, watch: bool = False, environment: str | None = None) -> None:
    """Show the servers, who gets traffic, and who is at work.

    Which release serves since when, the nodes with their conditions and statuses, those that are not ours, what is
    parked and until when. Also which deploy was interrupted and what the next one makes of it, and what `rollback`
    goes back to.
    """
    from functools import partial

    from tasks import wiring
    from tasks.report.consoles import terminal
    from tasks.report.status import show
    from tasks.report.status_json import print_json
    from tasks.report.status_watch import watch_json, watch_terminal
    from tasks.settings_file import load
    from tasks.waiting import WallClock

    look = partial(wiring.overview, load(environment=environment))
    match watch, json:
        case True, True:
            watch_json(look, WallClock())
        case True, False:
            watch_terminal(look, terminal(), WallClock())
        case False, True:
            print_json(look())
        case _:
            show(look(), terminal())
