"""What a new deploy makes of an interrupted one: the rule, branch by branch."""

from datetime import UTC, datetime

import pytest

from tasks.rollout.claims import Claim
from tasks.rollout.labels import NOBODY, Phase, Predecessor
from tasks.rollout.model import Condition, ServerStatus
from tasks.rollout.resuming import (
    Way,
    can_undo,
    interruption,
    live_beside,
    predecessor,
    to_return_to,
    way,
)
from tasks.rollout.reverting import Live, Place
from tests.rollout.builders import HTTP, HTTPS, NEW, OLD, balancer, both, goal, labelled, live, node, old, seen, server

BEFORE = Predecessor(OLD, "r1", 2)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DRAINING = Condition.DRAINING
OTHER = {"generation": "20260303-000000-cccc", "release": "r3"}


def dead(verb="deploy", generation=NEW):
    """Give the claim of an operator who has died at work."""
    return Claim(
        id="c", number=1, verb=verb, generation=generation, owner="ada@here", process="", since=NOON, beat=NOON
    )


def new(slot=1, phase=Phase.READY, previous=BEFORE, **changes):
    """Give a server that the interrupted deploy has made, beside two that served."""
    return labelled(server(slot, phase, **changes), previous=previous)


def left(*servers, olds=2, balancers=None):
    """Give what it has left: its servers, and those that served before it, which are in rotation."""
    before = [old(slot) for slot in range(1, olds + 1)]
    return seen(*servers, *before, balancers=both(*map(node, before)) if balancers is None else balancers)


def onward(state, verb="deploy", **wanted):
    """Say how a deploy goes on."""
    return way(goal(**wanted), state, interruption(state, [dead(verb)]))


class TestFinding:
    def test_without_a_dead_claim_nothing_was_interrupted(self):
        """Servers that wait for a rotation by hand are nobody's failure."""
        assert interruption(left(new()), []) is None
        assert way(goal(), left(new()), None) is Way.FRESH

    def test_a_claim_that_has_left_no_servers_is_of_no_interest(self):
        """It died before it made any, or they are gone; the one before it may have left some."""
        earlier = dead(generation=OLD)

        assert interruption(left(), [dead()]) is None
        assert interruption(left(), [dead(), earlier]).claim == earlier

    def test_what_it_was_to_reach_is_read_from_its_servers(self):
        """Its release, its count as far as its slots tell, and who served before it."""
        state = left(new(1), new(3))
        its = interruption(state, [dead()]).goal(goal(count=7, **OTHER))

        assert (its.generation, its.release, its.count, its.previous) == (NEW, "r2", 3, BEFORE)


class TestRule:
    def test_the_same_release_is_finished(self):
        """At least one server has passed everything: it is used."""
        assert onward(left(new(1), new(2, Phase.BOOTING))) is Way.RESUME

    @pytest.mark.parametrize(
        ("servers", "wanted"),
        [
            ([new(1), new(2)], OTHER),
            ([new(1), new(2), new(3)], {"count": 2}),
            ([new(1, Phase.TESTED)], {}),
            ([new(1, status=ServerStatus.ERROR)], {}),
        ],
        ids=["another release", "more servers than are wanted", "no server is ready", "the ready one is broken"],
    )
    def test_what_is_not_worth_finishing_is_undone(self, servers, wanted):
        """It would cost as much as a new deploy, or give something else than what is wanted."""
        assert onward(left(*servers), **wanted) is Way.UNDO

    @pytest.mark.parametrize("verb", ["undo", "abort"])
    def test_what_was_being_undone_is_undone(self, verb):
        """Also by a deploy of the same release: somebody or something has found it wanting."""
        assert onward(left(new(1), new(2)), verb=verb) is Way.UNDO

    def test_a_half_done_rotation_to_another_release_is_undone(self):
        """The old servers are all there."""
        before = [old(1), old(2)]
        half = seen(new(1), new(2), *before, balancers=both(node(new(1)), *(node(one, DRAINING) for one in before)))

        assert onward(half, **OTHER) is Way.UNDO

    def test_a_rotation_that_was_complete_is_not_undone(self):
        """The new servers serve everywhere: they are the old ones of the next deploy."""
        state = left(new(1), new(2), balancers=both(node(new(1)), node(new(2))))

        assert onward(state, **OTHER) is Way.FRESH

    def test_what_can_not_be_undone_serves_on(self):
        """One of the two that served before is gone."""
        state = left(new(1), new(2), olds=1, balancers=both(node(new(1)), node(old(1), DRAINING)))

        assert onward(state, **OTHER) is Way.FRESH


class TestUndoing:
    @pytest.mark.parametrize(
        "lost", [{"status": ServerStatus.ERROR}, {"status": ServerStatus.SHUTOFF}, {"phase": Phase.READY}]
    )
    def test_all_that_served_before_have_to_be_there(self, lost):
        """They run, and they did serve."""
        whole, broken = left(new()), seen(new(), old(1), old(2, **lost))

        assert can_undo(whole, interruption(whole, [dead()]))
        assert not can_undo(broken, interruption(broken, [dead()]))

    def test_a_first_deploy_can_be_undone_until_its_servers_serve(self):
        """Nobody served before it: until somebody uses the new ones nothing is lost."""
        first = new(previous=NOBODY)
        idle, used = seen(first, balancers=both()), seen(first, balancers=both(node(first)))

        assert can_undo(idle, interruption(idle, [dead()]))
        assert not can_undo(used, interruption(used, [dead()]))

    def test_it_goes_back_to_every_place(self):
        """Each server that served before is wanted ONLINE on each load balancer, whatever it has there now."""
        state = left(new(), balancers=[balancer(node(new())), balancer(node(old(1), DRAINING), listener=HTTPS)])

        assert to_return_to(state, interruption(state, [dead()])) == live(old(1), old(2))


class TestBeginning:
    def test_what_gets_requests_is_live(self):
        """In a generation that is begun anew."""
        state = seen(old(1), old(2), balancers=both(node(old(1)), node(old(2), DRAINING)))

        assert live_beside(goal(), state) == live(old(1))

    def test_in_a_rotation_that_goes_on_every_old_node_is_live(self):
        """The interrupted run may have drained it; what it had added itself is not among them."""
        nodes = (node(new(1)), node(old(1), DRAINING))
        state = seen(new(1), old(1), old(2), balancers=both(*nodes))

        assert live_beside(goal(), state) == live(old(1))

    def test_those_that_were_not_well_are_told_apart(self):
        """The floor does not count them, but they are put back like the others."""
        state = seen(old(1), balancers=[balancer(node(old(1), status="OFFLINE"))])

        assert live_beside(goal(), state) == Live(places=frozenset({Place("old-1", HTTP.name)}))

    def test_the_floor_is_what_was_well_but_no_more_than_is_wanted(self):
        """On each load balancer by itself."""
        at = live(old(1), old(2), old(3), balancers=(HTTP,))

        assert (at.floors(2), at.floors(5)) == ({HTTP.name: 2}, {HTTP.name: 3})

    def test_who_serves_is_written_down_as_the_predecessor(self):
        """With its release and number, for a way back."""
        state = left(new(1, previous=NOBODY))

        assert predecessor(goal(), state, live_beside(goal(), state)) == BEFORE

    def test_a_rollout_whose_own_servers_serve_alone_keeps_its_predecessor(self):
        """The interrupted run had taken all others out already."""
        state = seen(new(1), balancers=both(node(new(1))))

        assert predecessor(goal(), state, live_beside(goal(), state)) == BEFORE
        assert predecessor(goal(), seen(), Live()) == NOBODY


def test_an_interrupted_rollback_goes_back_to_what_served_until_then():
    """The servers that it was putting back are older, and know only who served before them."""
    back, newer = (
        [labelled(old(slot), previous=Predecessor("20251201-000000-aaaa", "r0", 2)) for slot in (1, 2)],
        [server(slot, Phase.SERVING) for slot in (1, 2)],
    )
    resting = [node(one, Condition.DRAINING) for one in newer]
    half = seen(*back, *newer, balancers=both(*map(node, back), *resting))
    done = seen(*back, *newer, balancers=both(*map(node, back)))
    claims = [dead("rollback", OLD)]

    assert interruption(half, claims).previous == Predecessor(NEW, "r2", 2)
    assert interruption(done, claims).previous == NOBODY


def test_a_server_that_turns_up_late_does_not_make_its_deploy_an_interrupted_one():
    """It was born with the claim of a deploy that has long gone well: the next one is a deploy like any other."""
    own = [new(slot, Phase.SERVING) for slot in (1, 2)]
    late = new(1, Phase.BOOTING, id="late", private_ip="10.0.9.9")
    state = seen(*own, late, balancers=both(*map(node, own)))

    assert way(goal(**OTHER), state, interruption(state, [dead()])) is Way.FRESH
    assert onward(state) is Way.FRESH
