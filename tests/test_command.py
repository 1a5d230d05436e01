"""How an error reaches the person or the program that called a task."""

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit, ParseError
from invoke.parser import Parser

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
        (errors.Claimed("x"), 6),
        (errors.ClaimLost("x"), 6),
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


def test_what_serves_now_stands_between_them():
    """What failed, what that means for the site, what to do."""
    error = errors.CloudError("it is broken", advice="mend it")
    error.aftermath = "all serve as before"
    with pytest.raises(Exit) as caught:
        failing_with(error)(Context())

    assert caught.value.message == "error: it is broken\nall serve as before\nmend it"
    assert str(error) == "it is broken\nall serve as before\nmend it"


def test_a_bug_of_ours_keeps_its_traceback():
    """It is not dressed up as a failure of the operator's."""
    with pytest.raises(ZeroDivisionError):
        failing_with(ZeroDivisionError())(Context())


def test_the_last_output_lines_are_in_the_message():
    """Server, stage, command, exit code and the end of the output."""
    error = errors.CommandFailed(server="web-1", stage="set up", command="x.sh", exit_code=3, tail="a\nb")

    assert str(error) == "set up failed on web-1: x.sh exited 3; its last output:\n    a\n    b"


def parsed(*words):
    """Parse a command line of a task whose word may be left out for a flag; gives what the task would get."""

    @command(spared_by=("all_",))
    def drop(_c, name, times=1, all_=False):
        """Drop something."""

    [context] = Parser(contexts=Collection(drop).to_contexts()).parse_argv(["drop", *words])
    return context.as_kwargs


def test_a_word_may_stand_alone():
    """The word is taken without an option, before or after the flags."""
    assert parsed("it", "--times", "2") == {"name": "it", "times": 2, "all_": False}
    assert parsed("--times", "2", "it") == {"name": "it", "times": 2, "all_": False}
    assert parsed("it", "--all") == {"name": "it", "times": 1, "all_": True}


def test_a_flag_stands_in_for_the_word():
    """Nobody misses the word when the flag that spares it is given."""
    assert parsed("--all") == {"name": "", "times": 1, "all_": True}


def test_a_missing_word_is_a_mistake():
    """Without word and flag, the command line is refused."""
    with pytest.raises(ParseError, match="did not receive required positional arguments: 'name'"):
        parsed("--times", "2")


def test_an_error_cannot_move_the_cursor():
    """What a cloud or a server said reaches the terminal as visible text; lines stay lines."""
    with pytest.raises(Exit) as caught:
        failing_with(errors.CloudError("it said:\n    \x1b[2Jgone\x07", advice="ask \u202eagain"))(Context())

    assert caught.value.message == "error: it said:\n    \\x1b[2Jgone\\x07\nask \\u202eagain"


def test_a_long_error_keeps_its_advice():
    """However much a server said, what to do next is told."""
    with pytest.raises(Exit) as caught:
        failing_with(errors.CloudError("x" * 1_000_000, advice="mend it"))(Context())

    assert len(caught.value.message) < 100_000
    assert caught.value.message.endswith(" more characters)\nmend it")
