"""A verb on record: its beginning and its end are written down, and a report is made of what was in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tasks.errors import DeployError
from tasks.hooking import hooked
from tasks.outcomes import outcome_of

if TYPE_CHECKING:
    from rich.console import Console

    from tasks.rollout.goal import Goal
    from tasks.wiring import Opened


@contextmanager
def recorded(verb: str, goal: Goal, opened: Opened) -> Iterator[None]:
    """Put what is done within the context on record, however it ends: journal, stream, report.

    What can not be written fails nothing.
    """
    from tasks.report.masking import masked
    from tasks.rollout.events import Begun, Ended

    site = opened.site
    about = {
        "cloud": opened.settings.cloud,
        "owner": site.operator.owner,
        "process": site.operator.process,
        "settings": masked(opened.settings),
    }
    site.listen(Begun(at=site.clock.now(), verb=verb, goal=goal, about=about))
    failure: BaseException | None = None
    try:
        with hooked(verb, goal, opened):
            yield
    except BaseException as error:
        failure = error
        if isinstance(error, DeployError):
            _complete(error, opened)
        raise
    finally:
        site.listen(Ended(at=site.clock.now(), outcome=outcome_of(failure), error=failure))
        _report(opened, failure)


def _complete(failure: DeployError, opened: Opened) -> None:
    """Add what only a site's opener knows: how to log in to a server that was kept. Secrets leave what was found out.

    A console shows whatever the app prints there.
    """
    from tasks.wiring_profiles import app_commands

    if failure.console:
        failure.console = app_commands(opened.settings).without_secrets(failure.console)
    if failure.kept:
        failure.login = opened.records.ssh(failure.kept)


def _report(opened: Opened, failure: BaseException | None) -> None:
    """Write the report; where the end of the task does not name it, since it failed, say where it is."""
    from tasks.report.html.writing import write

    say = _saying(opened.console)
    try:
        path = write(opened.records.journal)
    except Exception as error:  # noqa: BLE001  whatever is wrong with a report, the deploy is as it is
        say(f"The report could not be written: {error!r}")
    else:
        if failure:
            say(f"The report of this is {path}")


def _saying(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(text, highlight=False, markup=False, soft_wrap=True)
