"""How an error reaches the person or the program that called a task."""

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from tasks import errors
from tasks.command import command


def failing_with(error):
    """Give a task that fails."""

    @command()
    def task(_c):
        """Fail."""
        raise error

    return task


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SettingsError("x"), 2),
        (errors.ReleaseError("x"), 3),
        (errors.CloudError("x"), 3),
        (errors.QuotaExceeded("x"), 3),
        (errors.HostError("x", server="s"), 4),
        (errors.CommandFailed(server="s", stage="test", command="c", exit_code=1, tail=""), 4),
        (errors.BuildFailed("x"), 4),
        (errors.Reverted("x"), 5),
        (errors.Unfinished("x"), 7),
    ],
)
def test_exit_codes_are_as_documented(error, code):
    """CI can tell a wrong setting from a bad release and from something that needs a hand."""
    with pytest.raises(Exit) as caught:
        failing_with(error)(Context())

    assert caught.value.code == code
    assert caught.value.message.startswith("error: ")


def test_the_advice_follows_the_problem():
    """What failed first, then what to do."""
    with pytest.raises(Exit) as caught:
        failing_with(errors.CloudError("it is broken", advice="mend it"))(Context())

    assert caught.value.message == "error: it is broken\nmend it"


def test_a_bug_of_ours_keeps_its_traceback():
    """It is not dressed up as a failure of the operator's."""
    with pytest.raises(ZeroDivisionError):
        failing_with(ZeroDivisionError())(Context())


def test_the_last_output_lines_are_in_the_message():
    """Server, stage, command, exit code and the end of the output."""
    error = errors.CommandFailed(server="web-1", stage="set up", command="x.sh", exit_code=3, tail="a\nb")

    assert str(error) == "set up failed on web-1: x.sh exited 3; its last output:\n    a\n    b"
