"""Waiting: for events, with deadlines, and never longer than told to."""

import threading
from itertools import pairwise

import pytest

from tasks.errors import Interrupted, TimedOut
from tasks.waiting import Patience, WallClock, until
from tests.cloud.virtual_clock import VirtualClock


def test_what_is_there_already_is_not_waited_for():
    """No time passes when the first look finds it."""
    clock = VirtualClock()

    assert until(lambda: "ready", what="it", patience=Patience(limit=10), clock=clock) == "ready"
    assert clock.now() == 0


def test_a_deadline_ends_the_wait_with_what_was_waited_for():
    """The message names it, and the limit."""
    clock = VirtualClock()

    with pytest.raises(TimedOut, match="waited 10 s for the moon"):
        until(lambda: None, what="the moon", patience=Patience(limit=10), clock=clock)
    assert clock.now() == pytest.approx(10)


def test_looks_become_rarer_up_to_a_bound():
    """A quick cloud is not kept waiting, a slow one is not flooded."""
    clock, looks = VirtualClock(), []

    with pytest.raises(TimedOut):
        until(
            lambda: looks.append(clock.now()),
            what="it",
            patience=Patience(limit=20, first=0.5, growth=2, longest=4),
            clock=clock,
        )
    pauses = [later - earlier for earlier, later in pairwise(looks)]
    assert pauses[:5] == [0.5, 1, 2, 4, 4]


def test_the_last_look_is_at_the_deadline():
    """What comes true just in time is seen."""
    clock = VirtualClock()

    def look():
        return "late" if clock.now() >= 10 else None

    assert until(look, what="it", patience=Patience(limit=10), clock=clock) == "late"


def test_a_stop_ends_a_wait_in_another_thread():
    """Ctrl-C and a failure elsewhere do not wait for deadlines."""
    clock, caught, waiting = WallClock(), [], threading.Event()

    def wait():
        try:
            until(waiting.set, what="never", patience=Patience(limit=60, first=60), clock=clock)
        except Interrupted as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(10)
    clock.stop()
    thread.join(10)

    assert len(caught) == 1


def test_after_a_stop_waiting_can_be_allowed_again():
    """What was begun has to be undone, which needs waiting too."""
    clock = WallClock()
    clock.stop()
    with pytest.raises(Interrupted):
        clock.pause(60)
    clock.resume()
    clock.pause(0.001)
