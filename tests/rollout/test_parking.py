"""Parking: old servers that leave the rotation are kept for a rollback, for a while."""

from functools import partial

import pytest

from tasks.rollout.forecast import forecast
from tasks.rollout.goal import Pace
from tasks.rollout.labels import NEXT_DEPLOY, Phase, Predecessor
from tasks.rollout.model import Condition, ServerStatus
from tasks.rollout.returning import parked_before
from tasks.rollout.reverting import revert
from tasks.rollout.rotating import rotation
from tasks.rollout.steps import MarkServing, Park, RetireServer
from tests.rollout.builders import NEW, OLD, both, goal, labelled, live, node, old, seen, server

BEFORE = Predecessor(OLD, "r1", 2)
OLDEST = "20251201-000000-aaaa"


def standby(value, **changes):
    """Give a goal that keeps the servers before it for so long."""
    return goal(count=1, pace=Pace(standby=value), previous=BEFORE, **changes)


def after_rotation(*rest, **changes):
    """Give what is there when the new server alone is in rotation."""
    one = server(1, Phase.SERVING)
    return seen(one, *rest, balancers=both(node(one)), **changes)


class TestParking:
    @pytest.mark.parametrize("value", [30.0, NEXT_DEPLOY])
    def test_the_servers_that_served_before_are_parked(self, value):
        """All of them, when no load balancer knows them any more."""
        assert rotation(standby(value), after_rotation(old(1), old(2))) == {
            Park(server_id="old-1"),
            Park(server_id="old-2"),
        }

    def test_without_standby_they_are_deleted(self):
        """That is the default."""
        assert rotation(standby(0.0), after_rotation(old(1))) == {RetireServer(server_id="old-1")}

    def test_servers_are_parked_once(self):
        """What is parked stays so: its time is not begun anew by another run."""
        parked = [labelled(old(slot), parked="2026-01-01T00:00:00Z") for slot in (1, 2)]

        assert rotation(standby(30.0), after_rotation(*parked)) == frozenset()

    def test_what_is_left_of_servers_that_made_room_is_not_parked(self):
        """Fewer than served before are no way back, and cost money."""
        assert rotation(standby(30.0), after_rotation(old(2))) == {RetireServer(server_id="old-2")}

    @pytest.mark.parametrize(
        "useless",
        [
            labelled(old(1), generation=OLDEST),
            labelled(old(1), generation=OLDEST, parked=NEXT_DEPLOY),
            old(1, phase=Phase.READY),
            old(1, status=ServerStatus.ERROR),
            old(1, status=ServerStatus.SHUTOFF),
        ],
        ids=["left over from before that", "parked by the deploy before", "it never served", "broken", "switched off"],
    )
    def test_what_a_rollback_could_not_use_is_deleted(self, useless):
        """Only running servers that served until now are worth their price."""
        assert rotation(standby(NEXT_DEPLOY), after_rotation(useless)) == {RetireServer(server_id="old-1")}

    def test_nothing_is_parked_while_a_load_balancer_knows_it(self):
        """A server that is being drained is not parked yet."""
        one, gone = server(1, Phase.SERVING), old(1)
        state = seen(one, gone, balancers=both(node(one), node(gone, Condition.DRAINING)))

        assert Park(server_id="old-1") not in rotation(standby(30.0), state)

    def test_parked_servers_that_serve_again_are_marked(self):
        """Their metadata does not say any longer that they may be deleted at some time."""
        back = labelled(old(1), parked=NEXT_DEPLOY)
        state = seen(back, balancers=both(node(back)))

        assert rotation(goal(count=1, generation=OLD), state) == {MarkServing(server_id="old-1")}

    def test_parked_servers_that_are_put_back_after_a_failure_are_marked(self):
        """A rotation may have parked the first of them before it was interrupted and undone."""
        back, new = labelled(old(1), parked=NEXT_DEPLOY), server(1)
        state = seen(back, new, balancers=both(node(back)))

        assert revert(goal(count=1), state, live(back)) == {
            MarkServing(server_id="old-1"),
            RetireServer(server_id="new-1"),
        }

    def test_a_forecast_knows_that_they_are_marked_once(self):
        """What a rollback would do comes to an end."""
        back = labelled(old(1), parked=NEXT_DEPLOY)
        wanted = goal(count=1, generation=OLD)

        rounds = forecast(partial(rotation, wanted), wanted, seen(back, balancers=both(node(back))))

        assert rounds == (frozenset({MarkServing(server_id="old-1")}),)


class TestFindingThem:
    def whole(self, *parked, count=2, balancers=None):
        """Give what is there when a generation serves that replaced `count` servers of the old one."""
        one = labelled(server(1, Phase.SERVING), previous=Predecessor(OLD, "r1", count))
        return seen(one, *parked, balancers=balancers or both(node(one)))

    def kept(self, *slots, **changes):
        """Give parked servers."""
        return [labelled(old(slot, **changes), parked=NEXT_DEPLOY) for slot in slots]

    def test_the_generation_that_served_before_is_found(self):
        """All that served then are there."""
        assert [one.id for one in parked_before(self.whole(*self.kept(1, 2)))] == ["old-1", "old-2"]

    def test_a_part_of_it_is_not_enough(self):
        """A rollback may not leave fewer than served before."""
        assert parked_before(self.whole(*self.kept(1))) == ()

    @pytest.mark.parametrize("status", [ServerStatus.ERROR, ServerStatus.SHUTOFF])
    def test_servers_that_do_not_run_do_not_count(self, status):
        """Nor do those that are not parked."""
        assert parked_before(self.whole(*self.kept(1), *self.kept(2, status=status))) == ()
        assert parked_before(self.whole(*self.kept(1), old(2))) == ()

    def test_servers_that_a_load_balancer_knows_do_not_count(self):
        """Something is under way with them."""
        kept = self.kept(1, 2)
        known = both(node(server(1)), node(kept[0], Condition.DRAINING))

        assert parked_before(self.whole(*kept, balancers=known)) == ()

    def test_where_nothing_served_before_there_is_nothing_to_go_back_to(self):
        """After a first deploy, and where nothing serves at all."""
        assert parked_before(self.whole(*self.kept(1), count=0)) == ()
        assert parked_before(seen(*self.kept(1, 2))) == ()


def test_the_generations_are_in_order():
    """Names begin with the time."""
    assert OLDEST < OLD < NEW
