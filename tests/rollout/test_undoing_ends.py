"""Rotations that are stopped anywhere and undone, in whatever order steps end, also where there is little room."""

from contextlib import suppress
from dataclasses import replace
from functools import partial

from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.rollout.goal import Bounds, Pace
from tasks.rollout.loop import Loop
from tasks.rollout.model import Condition
from tasks.rollout.planning import plan
from tasks.rollout.reverting import in_rotation, is_past_return, revert
from tests.rollout.builders import HTTP, HTTPS, both, goal, node, old, seen
from tests.rollout.shuffled import Shuffled, Still, pursue

NAMES = (HTTP.name, HTTPS.name)


class Stopped(Exception):
    """The rotation is stopped here."""


def stopped(wanted, begin, *, random, after):
    """Give what is there when a rotation is stopped after so many steps, or has come to its end before."""
    left = [after]

    def law(*_):
        left[0] -= 1
        if left[0] < 0:
            raise Stopped

    workers = Shuffled(wanted, begin, random=random, law=law)
    with suppress(Stopped):
        Loop(begin, workers=workers, clock=Still(), listen=lambda _event: None).pursue(partial(plan, wanted))
    return workers.truth


@given(
    count=st.integers(1, 5),
    room=st.tuples(st.none() | st.integers(1, 3), st.none() | st.integers(1, 3)),
    watch=st.sampled_from([0.0, 30.0]),
    after=st.integers(0, 80),
    random=st.randoms(use_true_random=False),
)
def test_a_rotation_that_is_stopped_is_undone(count, room, watch, after, random):
    """The old servers serve again, never fewer than at the start meanwhile, no limit is passed, the new ones go."""
    quota, limit = (None if more is None else count + more for more in room)
    before = [old(slot) for slot in range(1, count + 1)]
    begin = seen(*before, balancers=both(*map(node, before)))
    live = in_rotation(begin)
    wanted = goal(count=count, pace=Pace(watch=watch), bounds=Bounds(floors=live.floors(count), servers=quota))
    wanted = replace(wanted, bounds=replace(wanted.bounds, nodes=limit))
    middle = stopped(wanted, begin, random=random, after=after)
    assume(not is_past_return(wanted, middle, live))

    def law(step, _before, now):
        for one in now.balancers:
            assert len(one.nodes) <= (limit or 99), step
            assert sum(1 for held in one.nodes if held.condition is Condition.ENABLED) >= count, step

    end, _ = pursue(lambda now: revert(wanted, now, live), wanted, middle, random=random, law=law)

    assert {one.id for one in end.servers} == live.servers
    assert in_rotation(end) == live
    assert all(len(one.nodes) == count for one in end.balancers)
