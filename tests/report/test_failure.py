"""What a person reads when something has failed, on a terminal of 80 columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import CheckFailed, CloudError, CommandFailed, DeployError, Reverted, SettingsError, Unfinished
from tasks.report.failure import MOST_ROWS, told

NAME = "guestbook-production-20260202-000000-bb-1"
SERVING = "Serving as before: 2 servers of release r1. Deleted: 2 new servers; none is left. `fab deploy` tries again."


def console(*lines):
    """Give the end of a console as it is found out."""
    return "\n".join([f"The console of {NAME} ends:", *(f"    {line}" for line in lines)])


def failed(tail="Ran 3 tests in 0.1s\n\nFAILED (failures=1)", **found):
    """Give a failure of the app's tests, and what was found out about it."""
    error = CommandFailed(server=NAME, stage="test", command="python manage.py test", exit_code=1, tail=tail)
    vars(error).update({"aftermath": SERVING, "console": console("web-1 login:")} | found)
    return error


def test_a_command_that_failed():
    """Stage, server, command and exit code; its last lines; the console; what serves, what was undone, what is next."""
    assert told(failed(), 80).splitlines() == [
        "error: test failed on guestbook-production-20260202-000000-bb-1: python",
        "manage.py test exited 1; its last output:",
        "    Ran 3 tests in 0.1s",
        "",
        "    FAILED (failures=1)",
        "The console of guestbook-production-20260202-000000-bb-1 ends:",
        "    web-1 login:",
        "Serving as before: 2 servers of release r1. Deleted: 2 new servers; none is",
        "left. `fab deploy` tries again.",
    ]


def test_a_check_that_failed():
    """What was asked for, the answer with its body, and how the app's log ends."""
    problem = (
        f"the app on {NAME} was not up within 60 s: GET http://10.0.2.1:8000/health is to answer 200, "
        "but it answered 500; the answer began:\n    <h1>Server Error</h1>\nThe app's log ends:\n    KeyError: 'HOME'"
    )
    error = CheckFailed(problem, server=NAME)
    error.aftermath = SERVING

    assert told(error, 80).splitlines() == [
        "error: the app on guestbook-production-20260202-000000-bb-1 was not up within 60",
        "s: GET http://10.0.2.1:8000/health is to answer 200, but it answered 500; the",
        "answer began:",
        "    <h1>Server Error</h1>",
        "The app's log ends:",
        "    KeyError: 'HOME'",
        "Serving as before: 2 servers of release r1. Deleted: 2 new servers; none is",
        "left. `fab deploy` tries again.",
    ]


def test_a_server_that_was_kept():
    """The line that logs in is the last one, in one piece whatever the width: it is copied from there."""
    login = "ssh -i ~/.local/state/disposable-servers/keys/guestbook-production/deploy_key root@10.0.2.1"
    kept = (
        f"{NAME} is kept until 2026-02-02 02:00 UTC, out of rotation; `fab servers.retire --server {NAME}` deletes it."
    )
    aftermath = f"Serving as before: none. Deleted: 1 new server. `fab deploy` tries again.\n{kept}"

    assert told(failed(aftermath=aftermath, login=login, console=""), 80).splitlines()[5:] == [
        "Serving as before: none. Deleted: 1 new server. `fab deploy` tries again.",
        "guestbook-production-20260202-000000-bb-1 is kept until 2026-02-02 02:00 UTC,",
        "out of rotation; `fab servers.retire --server",
        "guestbook-production-20260202-000000-bb-1` deletes it.",
        f"Log in: {login}",
    ]


def test_a_deploy_that_was_reverted():
    """What failed, who serves again, what was deleted, what to see to."""
    error = Reverted("adding nodes was refused: 500", advice="The cloud's status page may know more.")
    error.aftermath = "The old servers serve again: 2 servers of release r1. Deleted: 2 new servers; none is left."

    assert told(error, 80).splitlines() == [
        "error: adding nodes was refused: 500",
        "The old servers serve again: 2 servers of release r1. Deleted: 2 new servers;",
        "none is left.",
        "The cloud's status page may know more.",
    ]


def test_something_that_remains():
    """It is named, and so is the command that goes on with it."""
    error = Unfinished(
        f"no answer\nUndoing it failed as well: no answer\nNew servers that remain: {NAME}.",
        advice="`fab status` shows what serves; `fab abort` goes on with the undoing.",
    )

    assert told(error, 80).splitlines() == [
        "error: no answer",
        "Undoing it failed as well: no answer",
        "New servers that remain: guestbook-production-20260202-000000-bb-1.",
        "`fab status` shows what serves; `fab abort` goes on with the undoing.",
    ]


def test_twenty_lines_of_output_and_ten_of_the_console_have_room():
    """With what serves and what is next, that is fewer than forty rows."""
    error = failed("\n".join(f"output {n}" for n in range(20)), console=console(*(f"boot {n}" for n in range(10))))
    rows = told(error, 80).splitlines()

    assert len(rows) == 35
    assert [f"    output {n}" for n in range(20)] == rows[2:22]
    assert rows[23:33] == [f"    boot {n}" for n in range(10)]


@pytest.mark.parametrize("width", [80, None])
def test_where_there_is_no_room_the_ends_stay(width):
    """The first and the last lines of a long output, and a number for what is between."""
    rows = told(failed("\n".join(f"output {n}" for n in range(100))), width).splitlines()

    assert len(rows) == MOST_ROWS
    assert rows[0].startswith("error: test failed on")
    assert "    output 99" in rows
    assert [row for row in rows if "more lines are left out)" in row]


def test_long_lines_of_output_are_cut():
    """After three rows; the sentence around them never is."""
    rows = told(failed("x" * 1000), 80).splitlines()

    assert [len(row) for row in rows[2:5]] == [80, 80, 80]
    assert rows[4].endswith("x…")
    assert rows[5].startswith("The console of")


def test_mistakes_in_settings_are_all_said():
    """However many: nothing else is to be told."""
    error = SettingsError("\n".join(f"  key{n}: wrong" for n in range(60)))

    assert len(told(error, 80).splitlines()) == 60


@given(st.text(), st.text(), st.text(max_size=300), st.text(max_size=300), st.integers(60, 200))
def test_it_never_takes_forty_rows(problem, console, aftermath, login, width):
    """Whatever was printed; and the advice is there to its end."""
    error = DeployError(problem, advice="do this next")
    error.console, error.aftermath, error.login = console, aftermath, login
    text = told(error, width)

    assert sum(max(1, -(-len(row) // width)) for row in text.split("\n")) <= MOST_ROWS
    assert "do this next" in text


def test_nothing_in_it_moves_the_cursor():
    """Whatever a server has printed, on its console as well."""
    text = told(failed("\x1b[2J\x07", console=console("\x1b]52;c;x\x07"), login="ssh \u202ex"), 80)

    assert text.replace("\n", "").isprintable()


def test_without_a_terminal_lines_are_whole():
    """CI wraps by itself, and programs read lines."""
    assert told(CloudError("refused " * 50, advice="Ask again."), None).splitlines() == [
        f"error: {'refused ' * 50}",
        "Ask again.",
    ]
