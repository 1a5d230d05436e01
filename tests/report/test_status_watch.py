"""Looking at a site again and again."""

import io
import json

import pytest
from rich.console import Console

from tasks.errors import CloudUnreachable
from tasks.report.status import State
from tasks.report.status_watch import SECONDS, watch_json, watch_terminal
from tests.cloud.virtual_clock import VirtualClock
from tests.rollout.builders import both, node, old, seen


def serving(*servers):
    """Give a state in which these servers serve."""
    found = seen(*servers, balancers=both(*map(node, servers)))
    return State(app="shop", environment="test", cloud="acme", seen=found)


ONE, TWO = serving(old(1)), serving(old(1), old(2))


class Ctrlc:
    """Looks that see these states, one after the other; then somebody presses Ctrl-C."""

    def __init__(self, *states):
        self.states = iter(states)

    def __call__(self):
        """See the next one."""
        found = next(self.states, None)
        if found is None:
            raise KeyboardInterrupt
        if isinstance(found, Exception):
            raise found
        return found


def text(*states, **changes):
    """Give what is printed of these states."""
    console = Console(file=io.StringIO(), width=80, height=40, **changes)
    watch_terminal(Ctrlc(*states), console, VirtualClock())
    return console.file.getvalue()


def test_ctrl_c_is_how_a_watch_ends():
    """Nothing failed; until then there is a look every few seconds."""
    clock = VirtualClock()
    watch_terminal(Ctrlc(ONE, ONE, ONE), Console(file=io.StringIO()), clock)

    assert clock.pauses == [SECONDS] * 3


def test_in_a_terminal_each_state_is_drawn_over_the_one_before():
    """The cursor goes up again; both states were to be seen."""
    shown = text(ONE, TWO, force_terminal=True, no_color=True)

    assert "1 server serves" in shown
    assert "2 servers serve" in shown
    assert "\x1b[1A" in shown
    assert "Ctrl-C ends this." in shown


def test_in_a_pipe_a_state_is_printed_when_it_has_changed():
    """A log of a watch is no longer than what happened."""
    shown = text(ONE, ONE, TWO, TWO, ONE)

    assert [line for line in shown.splitlines() if line.startswith("shop in test")] == [
        "shop in test on acme: 1 server serves, release r1",
        "shop in test on acme: 2 servers serve, release r1",
        "shop in test on acme: 1 server serves, release r1",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_look_that_fails_ends_no_watch(terminal):
    """What keeps it from seeing is said, and the next look sees again."""
    shown = text(ONE, CloudUnreachable("nobody answers"), TWO, force_terminal=terminal)

    assert "not seen this time: nobody answers" in shown
    assert "2 servers serve" in shown


def test_programs_get_a_line_whenever_something_has_changed(capsys):
    """Each line is what `status --json` prints; what keeps from seeing is no line of theirs."""
    watch_json(Ctrlc(ONE, ONE, CloudUnreachable("nobody answers"), TWO), VirtualClock())
    printed = capsys.readouterr()

    assert [len(json.loads(line)["servers"]) for line in printed.out.splitlines()] == [1, 2]
    assert printed.err == "not seen this time: nobody answers\n"
