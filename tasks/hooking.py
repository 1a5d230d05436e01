"""What surrounds a verb that changes who serves: the operator's own commands, and the notification of its end.

Once the verb itself has begun, nothing here can change how it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tasks.errors import DeployError, DeployRefused, Interrupted
from tasks.outcomes import outcome_of
from tasks.plain import line

if TYPE_CHECKING:
    from tasks.rollout.goal import Goal
    from tasks.rollout.observation import Hook, Observation
    from tasks.wiring import Opened

HOOKED = ("deploy", "rotate", "rollback")
"""The verbs that commands are run for and a notification is sent of."""


@contextmanager
def hooked(verb: str, goal: Goal, opened: Opened) -> Iterator[None]:
    """Run `before_deploy`, then what is done within the context, then `after_deploy` or `on_failure`; notify.

    A second Ctrl-C leaves at once: nothing is run or sent then.

    :raises DeployRefused: `before_deploy` failed; nothing was done.
    """
    if verb not in HOOKED:
        yield
        return
    began = opened.site.clock.now()
    try:
        _ask(goal, opened)
        yield
    except Exception as failure:
        _end(goal, opened, began, failure)
        raise
    _end(goal, opened, began, None)


def _ask(goal: Goal, opened: Opened) -> None:
    from tasks.rollout.hooks import variables
    from tasks.rollout.observation import Hook

    if Hook.BEFORE_DEPLOY not in goal.hooks:
        return
    try:
        problem = opened.site.hooks.run(Hook.BEFORE_DEPLOY, variables(goal, _seen(opened)))
    except KeyboardInterrupt:
        raise Interrupted("stopped by Ctrl-C or SIGTERM in hooks.before_deploy; nothing was done") from None
    if problem:
        raise DeployRefused(
            f"hooks.before_deploy did not allow it, and nothing was done: {problem}",
            advice="Run it again when the command exits 0.",
        )


def _end(goal: Goal, opened: Opened, began: float, failure: Exception | None) -> None:
    """Tell whom it may concern; Ctrl-C ends the telling, and what was done stays as it is."""
    from tasks.rollout.observation import Hook

    try:
        _tell(Hook.ON_FAILURE if failure else Hook.AFTER_DEPLOY, goal, opened, failure)
        _notify(goal, opened, opened.site.clock.now() - began, failure)
    except (Interrupted, KeyboardInterrupt):
        opened.site.say("stopped while hooks and notification told of the end, which is as it was")


def _tell(hook: Hook, goal: Goal, opened: Opened, failure: Exception | None) -> None:
    from tasks.rollout.hooks import tell, variables

    if hook not in goal.hooks:
        return
    seen, outcome = _seen(opened), outcome_of(failure)
    about = variables(goal if failure else _reached(goal, seen), seen)
    how = {
        "DEPLOY_OUTCOME": outcome.value,
        "DEPLOY_EXIT_CODE": str(outcome.exit_code),
        "DEPLOY_ERROR": _problem(failure, opened),
    }
    tell(hook, opened.site.hooks, {**about, **how}, opened.site.say)


def _notify(goal: Goal, opened: Opened, seconds: float, failure: Exception | None) -> None:
    from tasks.report.notifying import message, post

    url, problem = opened.settings.webhook()
    if url:
        told = message(goal, outcome_of(failure), seconds, _problem(failure, opened))
        problem = post(url, told)
    if problem:
        opened.site.say(f"no notification was sent: {problem}")


def _reached(goal: Goal, seen: Observation) -> Goal:
    """Give the goal as it was reached: who goes on with an interrupted deploy makes servers of its generation."""
    from tasks.rollout.rotating import is_sent_to

    newest = max((server.generation for server in seen.servers if is_sent_to(server, seen)), default=goal.generation)
    return replace(goal, generation=newest)


def _seen(opened: Opened) -> Observation:
    from tasks.rollout.observation import Observation

    try:
        return opened.site.observe()
    except DeployError:
        return Observation()  # the verb says so, where it matters


def _problem(failure: Exception | None, opened: Opened) -> str:
    """Give the first line of what failed, without secrets."""
    from tasks.wiring_profiles import without_secrets

    problem = failure.problem if isinstance(failure, DeployError) else repr(failure) if failure else ""
    return line(without_secrets(opened.settings)(problem.partition("\n")[0]), most=500)
