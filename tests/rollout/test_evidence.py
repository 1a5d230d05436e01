"""What is found out about a failure: at which server it was, and how its console ends."""

import pytest

from tasks.errors import CloudError, HostError
from tasks.rollout.evidence import CONSOLE_LINES, console_of, struck
from tasks.rollout.labels import Phase
from tasks.rollout.steps import AddNodes, GiveUp, TestApp
from tests.rollout.builders import HTTP, goal, old, seen, server

ONE, TWO = server(1, Phase.SET_UP), server(2, Phase.SET_UP)
HERE = seen(old(1), ONE, TWO)
FAILURE = HostError("the tests failed", server="shop-1")


class Consoles:
    """A cloud of which only the consoles matter."""

    def __init__(self, log):
        self._log = log

    def console(self, _server_id):
        """Give the log, or fail."""
        if isinstance(self._log, Exception):
            raise self._log
        return self._log


@pytest.mark.parametrize(
    ("step", "where"),
    [
        (TestApp(server_id="new-2"), TWO),
        (GiveUp(slot=1, fault="ERROR"), ONE),
        (TestApp(server_id="old-1"), None),
        (AddNodes(balancer=HTTP.name, addresses=frozenset({"10.0.2.1"}), port=8000), None),
        (None, None),
    ],
)
def test_the_step_says_at_which_new_server_it_was(step, where):
    """An old one, a load balancer and Ctrl-C are none."""
    assert struck(step, goal(), HERE) == where


def test_the_last_lines_of_its_console_are_told():
    """Those with words in them, without what moves a cursor."""
    log = "\n".join([*(f"line {n}" for n in range(50)), "\x1b[2Jthe end", "", "  "])
    heading, *lines = console_of(ONE, FAILURE, Consoles(log)).splitlines()

    assert heading == "The console of shop-1 ends:"
    assert len(lines) == CONSOLE_LINES
    assert lines[-2:] == ["    line 49", "    the end"]


def test_a_console_that_shows_nothing_is_told_as_that():
    """It may be all there is to know of a server that does not answer."""
    assert console_of(ONE, FAILURE, Consoles(" \n")) == "The console of shop-1 shows nothing."


def test_a_console_that_can_not_be_read_does_not_hide_the_failure():
    """Why it can not is said in its place."""
    said = console_of(ONE, FAILURE, Consoles(CloudError("it answered 500")))

    assert said == "The console of shop-1 could not be read: it answered 500"


def test_a_cloud_that_fails_is_not_asked():
    """What a server did there has nothing to do with it."""
    assert console_of(ONE, CloudError("no answer"), Consoles("words")) == ""
