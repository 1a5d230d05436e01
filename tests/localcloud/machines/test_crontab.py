"""The syntax of cron, as crontab(5) states it."""

from datetime import datetime

import pytest

from tasks.localcloud.machines.crontab import CrontabError, Entry, parse, schedule

MONDAY = datetime(2026, 11, 23, 14, 35)  # noqa: DTZ001  cron goes by the local clock


@pytest.mark.parametrize(
    "fields",
    [
        "* * * * *",
        "35 14 23 11 *",
        "30-40 * * * *",
        "*/5 * * * *",
        "5-59/10 * * * *",
        "1,35,50 14 * * *",
        "15/20 * * * *",
        "* * * nov *",
        "* * * * MON-fri",
        "* * * * 1",
        "* * 1 * 1",
        "* * 23 * 0",
    ],
)
def test_schedule_is_due(fields):
    """These schedules are due on Monday, 23 November 2026, at 14:35."""
    assert schedule(fields).matches(MONDAY)


@pytest.mark.parametrize(
    "fields",
    [
        "36 * * * *",
        "*/4 * * * *",
        "* 2 * * *",
        "* * 22 * *",
        "* * * dec *",
        "* * * * 0",
        "* * * * sat,sun",
        "* * 1 * 2",
        "* * */2 * 2",
        "@hourly",
        "@daily",
    ],
)
def test_schedule_is_not_due(fields):
    """These schedules are not due on Monday, 23 November 2026, at 14:35."""
    assert not schedule(fields).matches(MONDAY)


def test_sunday_has_two_numbers():
    """0 and 7 both mean Sunday."""
    assert schedule("* * * * 0") == schedule("* * * * 7")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ("60 * * * *", "'60' is not between 0 and 59"),
        ("* 24 * * *", "'24'"),
        ("* * 0 * *", "'0'"),
        ("* * * foo *", "'foo'"),
        ("40-30 * * * *", "runs backwards"),
        ("*/0 * * * *", "'0' is not between 1"),
        ("-1 * * * *", "''"),
        ("* * *", "not a schedule"),
    ],
)
def test_wrong_schedule_is_explained(fields, complaint):
    """A field that cron does not take is named."""
    with pytest.raises(CrontabError, match=complaint):
        schedule(fields)


def test_entry_has_a_user_and_the_rest_is_the_command():
    """A line of /etc/cron.d has a user after the schedule; spaces in the command are kept."""
    [entry] = parse("PATH=/opt/bin\n# comment\n\n* * * * * app  cd /srv &&  ./run 'a  b'\n")

    assert entry == Entry(
        schedule=schedule("* * * * *"),
        user="app",
        command="cd /srv &&  ./run 'a  b'",
        standard_input="",
        environment={"PATH": "/opt/bin"},
    )


def test_reboot_entry_has_no_schedule():
    """@reboot is for every boot, and for no minute."""
    [entry] = parse("@reboot root /usr/bin/true")

    assert (entry.schedule, entry.user, entry.command) == (None, "root", "/usr/bin/true")


def test_percent_begins_standard_input():
    """What follows a bare % is standard input, further ones are line ends, and an escaped one is itself."""
    [entry] = parse(r"* * * * * root date +\%H; cat%one%two\%")

    assert (entry.command, entry.standard_input) == ("date +%H; cat", "one\ntwo%")


def test_mistake_does_not_hide_the_other_lines():
    """A line that is not understood is reported in its place, and the others count."""
    wrong, right = parse("* * * * root\n* * * * * root true\n")

    assert isinstance(wrong, CrontabError)
    assert right.command == "true"
