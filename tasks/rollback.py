"""The tasks that go back: to the release before this one, or to before a deploy that was interrupted."""

from __future__ import annotations

from invoke.context import Context

from tasks.command import command
from tasks.deploy import ENVIRONMENT, EVENTS, WAIT


@command(
    help={
        "redeploy": "On new servers, even where the previous ones are kept.",
        "wait": WAIT,
        "environment": ENVIRONMENT,
        "events": EVENTS,
    }
)
def rollback(
    _c: Context,
    *,
    redeploy: bool = False,
    wait: bool = False,
    environment: str | None = None,
    events: str | None = None,
) -> None:
    """Go back to the release that served before this one.

    Its servers, where `standby` has kept them, are checked, put back into rotation, and the new ones are drained and
    taken away: that takes seconds. Where they are not kept, its artifact is deployed on new servers. Migrations are not
    undone: the release before meets the schema of this one.
    Exit codes: 0 done, 2 nothing to go back to, 3 the cloud refused or the artifact is not on this machine, 4 the
    servers to go back to are not well and nothing was changed, 5 reverted after the rotation began, 6 another operator
    is at work, 7 something remains that needs a hand.
    """
    from tasks import wiring, wiring_goals
    from tasks.recording import recorded
    from tasks.report.going_back import announce_return, show_returned
    from tasks.rollout import returning
    from tasks.settings_file import load

    settings = load(environment=environment)
    with wiring.open_site(settings, wait=wait, events=events) as opened:
        kept = returning.way_back(opened.site.observe_alone())
        back = kept.redeployed if redeploy else kept
        goal = wiring_goals.return_goal(settings, back, opened.site.compute.now())
        announce_return(back, goal, opened.console)
        with recorded("rollback", goal, opened):
            state = wiring.state(settings, returning.go_back(back, goal, opened.site))
        show_returned(state, opened.console)


@command(help={"wait": WAIT, "environment": ENVIRONMENT})
def abort(_c: Context, *, wait: bool = False, environment: str | None = None) -> None:
    """Undo a deploy that was interrupted.

    What served before it serves again, and its servers are deleted. `fab status` says whether there is one; a deploy
    that is at work is stopped by Ctrl-C where it runs.
    Exit codes: 0 done, 2 no deploy was interrupted, 3 the cloud refused, 6 another operator is at work, 7 it can not be
    undone any more, or not yet: the message says what to do.
    """
    from tasks import wiring, wiring_goals
    from tasks.recording import recorded
    from tasks.report.status import show
    from tasks.rollout import returning
    from tasks.settings_file import load

    settings = load(environment=environment)
    with wiring.open_site(settings, wait=wait) as opened:
        goal = wiring_goals.any_goal(settings)
        with recorded("abort", goal, opened):
            state = wiring.state(settings, returning.abort(goal, opened.site))
        show(state, opened.console)
