"""Whole rotations, in whatever order their steps end: how few may serve at any time, and how they end."""

from collections import Counter
from dataclasses import replace
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import QuotaExceeded
from tasks.rollout.goal import Bounds, Pace
from tasks.rollout.model import Condition, NodeStatus
from tasks.rollout.planning import plan
from tasks.rollout.reverting import in_rotation, revert
from tasks.rollout.steps import (
    RemoveNodes,
    RetireServer,
    in_order,
)
from tests.rollout.builders import HTTP, HTTPS, balancer, both, goal, node, old, seen
from tests.rollout.reachable import states
from tests.rollout.shuffled import pursue

ENABLED = Condition.ENABLED
NAMES = (HTTP.name, HTTPS.name)


def olds(count):
    """Give old servers."""
    return [old(slot) for slot in range(1, count + 1)]


def nodes(servers):
    """Give their nodes."""
    return [node(one) for one in servers]


paces = st.builds(
    Pace,
    batches=st.sampled_from([(), (1,), (1, 2, 6), (2, 4), (1, 2, 3, 4, 5, 6)]),
    watch=st.sampled_from([0.0, 30.0]),
    standby=st.sampled_from([0.0, 60.0, "next deploy"]),
)


class Laws:
    """What has to hold at every step of a rotation, whatever its settings."""

    def __init__(self, wanted, start):
        self._wanted = wanted
        self._floor = min(start, wanted.count)

    def __call__(self, step, before, after):
        """Look at one step, with what is there before and after it."""
        assert len(after.servers) <= max(self._wanted.bounds.servers or 99, len(before.servers))
        for one in after.balancers:
            assert len(one.nodes) <= max(self._wanted.bounds.nodes or 99, len(before.balancer(one.name).nodes))
            assert sum(1 for held in one.nodes if held.condition is ENABLED) >= self._floor
        match step:
            case RemoveNodes():
                self._may_leave(step, before)
            case RetireServer():
                assert not any(one.nodes_of(before.server(step.server_id)) for one in before.balancers)

    def _may_leave(self, step, before):
        """Nothing leaves that has requests, or connections, or that is still needed for the way back."""
        leaving = [one for one in before.servers if one.private_ip in step.addresses]
        inside = [one for one in before.generation(self._wanted.generation) if before.balancers[0].nodes_of(one)]
        assert {one.id for one in leaving} <= before.drained
        assert not any(one.sends_to(gone) for one in before.balancers for gone in leaving)
        assert not self._wanted.pace.is_watched or before.proven >= len(inside)


@given(
    start=st.integers(0, 6),
    count=st.integers(1, 6),
    spare=st.tuples(st.none() | st.integers(0, 4), st.none() | st.integers(0, 4)),
    pace=paces,
    random=st.randoms(use_true_random=False),
)
def test_every_rotation_ends_well_or_gives_up_for_want_of_room(start, count, spare, pace, random):
    """In whatever order steps end: the floor holds, no limit is passed, and in the end only the new ones serve."""
    most = max(start, count)
    quota, limit = (None if more is None else most + more for more in spare)
    bounds = Bounds(servers=quota, nodes=limit, floors=dict.fromkeys(NAMES, min(start, count)))
    wanted = goal(count=count, pace=pace, bounds=bounds)
    begin = seen(*olds(start), balancers=both(*nodes(olds(start))), held=False)
    has_room = start != count or 0 not in spare

    try:
        end, acts = pursue(partial(plan, wanted), wanted, begin, random=random, law=Laws(wanted, start))
    except QuotaExceeded:
        assert not has_room
    else:
        assert has_room
        assert acts < 40 * (start + count)
        serving = Counter(one.generation for one in end.servers for lb in end.balancers if lb.sends_to(one))
        assert serving == {wanted.generation: 2 * count}
        kept = [one for one in end.servers if one.generation != wanted.generation]
        assert all(one.labels.parked and pace.standby for one in kept)


@given(case=states(), pace=paces, random=st.randoms(use_true_random=False))
def test_a_rotation_goes_on_from_any_state(case, pace, random):
    """Whatever was left behind: no fewer serve than at the start, and in the end only the new ones do."""
    wanted, begin = case
    floors = in_rotation(begin).floors(wanted.count)
    wanted = replace(wanted, pace=pace, bounds=replace(wanted.bounds, floors=floors))

    def law(step, _before, after):
        for one in after.balancers:
            inside = [held for held in one.nodes if held.condition is ENABLED and held.status is not NodeStatus.OFFLINE]
            assert len(inside) >= floors.get(one.name, 0), step

    end, _ = pursue(partial(plan, wanted), wanted, begin, random=random, law=law)

    for one in end.balancers:
        serving = [server for server in end.servers if one.sends_to(server)]
        assert {server.generation for server in serving} == {wanted.generation}
        assert len(serving) == len(one.nodes) == wanted.count


@given(random=st.randoms(use_true_random=False), pace=paces)
def test_a_load_balancer_that_is_new_gets_the_servers_of_the_others(random, pace):
    """A listener that was added to the settings has no floor yet, and ends like the others."""
    wanted = goal(count=2, pace=pace, bounds=Bounds(floors={HTTP.name: 2}))
    begin = seen(*olds(2), balancers=[balancer(*nodes(olds(2)))], held=False)

    end, _ = pursue(partial(plan, wanted), wanted, begin, random=random)

    assert all(lb.sends_to(one) for one in end.generation(wanted.generation) for lb in end.balancers)
    assert len(end.balancers) == 2


@given(case=states())
def test_steps_have_an_order(case):
    """No two steps of a kind have the same subject, so that bags are gone through alike in every run."""
    wanted, state = case
    bag = plan(wanted, state) | revert(wanted, state, in_rotation(state))

    assert len({(type(step), step.subject) for step in bag}) == len(bag)
    assert in_order(bag) == in_order(reversed(in_order(bag)))
