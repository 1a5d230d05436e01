"""How a task can end: the exit codes of `errors`, as words for programs and for people. They are stable."""

from __future__ import annotations

from enum import StrEnum

from tasks.errors import DeployError, Unfinished


class Outcome(StrEnum):
    """How a task has ended, for programs; in the order of the exit codes."""

    DONE = "done"
    BUG = "bug"
    SETTINGS = "settings"
    REFUSED = "refused"
    FAILED = "failed"
    REVERTED = "reverted"
    CLAIMED = "claimed"
    UNFINISHED = "unfinished"

    @property
    def exit_code(self) -> int:
        """The exit code that says the same."""
        return list(Outcome).index(self)

    @property
    def words(self) -> str:
        """The same for people, as the documentation of the exit codes has it."""
        return WORDS[self]


WORDS = {
    Outcome.DONE: "done",
    Outcome.BUG: "a bug of ours",
    Outcome.SETTINGS: "settings or usage",
    Outcome.REFUSED: "preflight or the cloud refused",
    Outcome.FAILED: "new servers failed and were removed, nothing changed",
    Outcome.REVERTED: "reverted after the rotation began",
    Outcome.CLAIMED: "another deploy holds the claim",
    Outcome.UNFINISHED: "something remains that needs a hand",
}


def outcome(exit_code: int) -> Outcome:
    """Give what an exit code means; one that is not ours is a bug."""
    codes = list(Outcome)
    return codes[exit_code] if 0 <= exit_code < len(codes) else Outcome.BUG


def outcome_of(failure: BaseException | None) -> Outcome:
    """Give how a task ends that raises this; nothing raised is done."""
    match failure:
        case None:
            return Outcome.DONE
        case DeployError():
            return outcome(failure.exit_code)
        case KeyboardInterrupt():
            return outcome(Unfinished.exit_code)  # the second Ctrl-C: left at once, nothing was undone
        case _:
            return Outcome.BUG
