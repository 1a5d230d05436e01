"""How tasks end, in words and numbers that say the same everywhere."""

import pytest

from tasks import errors
from tasks.errors import Claimed, HostError, Reverted, SettingsError, Unfinished
from tasks.outcomes import Outcome, outcome, outcome_of


@pytest.mark.parametrize("each", Outcome)
def test_exit_codes_are_worded_as_they_are_documented(each):
    """What `errors` says of an exit code is what the journal, the history and the report say."""
    documented = " ".join((errors.__doc__ or "").split())

    assert f"{each.exit_code} {each.words}" in documented


def test_outcomes_and_exit_codes_are_the_same_thing():
    """Each exit code has one outcome; a code that is not ours is a bug."""
    assert [outcome(code) for code in range(8)] == list(Outcome)
    assert outcome(139) is Outcome.BUG


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (None, Outcome.DONE),
        (KeyError("x"), Outcome.BUG),
        (SettingsError("x"), Outcome.SETTINGS),
        (HostError("x", server="y"), Outcome.FAILED),
        (Reverted("x"), Outcome.REVERTED),
        (Claimed("x"), Outcome.CLAIMED),
        (Unfinished("x"), Outcome.UNFINISHED),
        (KeyboardInterrupt(), Outcome.UNFINISHED),
    ],
)
def test_a_failure_ends_as_its_exit_code_says(failure, expected):
    """What was raised decides; leaving at once by a second Ctrl-C leaves something that needs a hand."""
    assert outcome_of(failure) is expected
