"""What was found out about something that a deploy needs: that it is as it has to be, or what mends it.

`preflight` raises what is not; `fab doctor` prints all of it. Refuses to know what is looked at, and how it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from tasks.errors import CloudError, DeployError, SettingsError


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found out about one thing.

    :param seen: what was found, in the words of whoever looked.
    :param remedy: the command or setting that mends it; may be there for what is well too, where there is a choice.
    :param exit_code: how a deploy would end for it, where it is not well.
    """

    what: str
    ok: bool
    seen: str
    remedy: str = ""
    exit_code: int = CloudError.exit_code

    @property
    def problem(self) -> str:
        """What is wrong and what mends it, on one line."""
        return "; ".join(part.replace("\n", "; ") for part in (self.seen, self.remedy) if part)


def fine(what: str, seen: str) -> Finding:
    """Give the finding that something is well."""
    return Finding(what=what, ok=True, seen=seen)


def wrong(what: str, seen: str, remedy: str = "") -> Finding:
    """Give the finding that something is not as a deploy needs it."""
    return Finding(what=what, ok=False, seen=seen, remedy=remedy)


def failed(what: str, error: DeployError, remedy: str = "") -> Finding:
    """Give the finding that an error tells of; its own advice comes before the remedy."""
    code = SettingsError.exit_code if isinstance(error, SettingsError) else CloudError.exit_code
    mended = "; ".join(part.rstrip(".") for part in (error.advice, remedy) if part).replace("?;", "?")
    return Finding(what=what, ok=False, seen=error.problem, remedy=mended, exit_code=code)


def looked(
    what: str,
    look: Callable[[], str],
    remedy: str = "",
    *,
    wrong_when: tuple[type[DeployError], ...] = (DeployError,),
) -> Finding:
    """Look, and give what was seen, or the error that came instead.

    :param wrong_when: these errors mean that it is not well; any other one is passed on.
    """
    try:
        return fine(what, look())
    except wrong_when as error:
        return failed(what, error, remedy)


def not_well(found: Iterable[Finding]) -> list[Finding]:
    """Give those that keep a deploy from going through."""
    return [finding for finding in found if not finding.ok]


def gathered(what: str, ask: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Give the findings of a question; the one that it can not be answered, when that is so."""
    try:
        return list(ask())
    except DeployError as error:
        return [failed(what, error)]


def require(found: Collection[Finding]) -> None:
    """Return when all is well.

    :raises SettingsError: a setting is wrong, maybe among other things.
    :raises CloudError: something else is.
    """
    problems = not_well(found)
    if problems:
        kind = SettingsError if any(one.exit_code == SettingsError.exit_code for one in problems) else CloudError
        names = ", ".join(one.what for one in problems)
        raise kind(f"{len(problems)} of {len(found)} are not ok: {names}")
