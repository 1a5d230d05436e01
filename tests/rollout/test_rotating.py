"""Rotations in batches, and those for which there is little room: canaries, watches, quotas and node limits."""

import pytest

from tasks.rollout.goal import Bounds, Pace
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition, NodeStatus, ServerStatus
from tasks.rollout.planning import plan
from tasks.rollout.rotating import rotation, take_claim
from tasks.rollout.steps import (
    AddNodes,
    AwaitDrained,
    CreateServer,
    GiveUpRoom,
    MarkServing,
    ProbeNew,
    RemoveNodes,
    RetireServer,
    SetCondition,
    TakeClaim,
    Watch,
)
from tests.rollout.builders import HTTP, HTTPS, NODE_PORT, balancer, both, goal, node, old, seen, server

DRAINING, ENABLED = Condition.DRAINING, Condition.ENABLED
CANARY = Pace(batches=(1, 2, 4), watch=30.0)
NAMES = (HTTP.name, HTTPS.name)


def news(count, phase=Phase.SERVING):
    """Give new servers that are ready or further."""
    return [server(slot, phase, migrated=slot == 1) for slot in range(1, count + 1)]


def olds(count):
    """Give old servers."""
    return [old(slot) for slot in range(1, count + 1)]


def nodes(servers, condition=ENABLED):
    """Give their nodes."""
    return [node(one, condition) for one in servers]


def at(servers):
    """Give their addresses."""
    return frozenset(one.private_ip for one in servers)


def on_both(kind, servers, **values):
    """Give a step on the load balancers of both listeners."""
    return {kind(balancer=name, addresses=at(servers), **values) for name in NAMES}


class TestClaim:
    def test_nothing_is_rotated_before_the_claim_is_ours(self):
        """Whatever else could be done, the claim is taken first."""
        state = seen(*news(2, Phase.READY), *olds(2), balancers=both(*nodes(olds(2))), held=False)

        assert rotation(goal(), state) == {TakeClaim(server_id="old-1")}

    def test_the_claim_is_written_to_a_server_that_takes_metadata(self):
        """One that is being built takes none; where there is no other, the claim has to wait."""
        building = server(1, Phase.BOOTING, status=ServerStatus.BUILD)

        assert take_claim(seen(building, old(1), held=False)) == {TakeClaim(server_id="old-1")}
        assert take_claim(seen(building, held=False)) == frozenset()

    def test_the_claim_is_taken_once(self):
        """A run that holds it does not ask again."""
        assert take_claim(seen(old(1))) == frozenset()


class TestBatches:
    @pytest.mark.parametrize(
        ("inside", "proven", "wanted"),
        [(0, 0, {"10.0.2.1"}), (1, 1, {"10.0.2.2"}), (2, 2, {"10.0.2.3", "10.0.2.4"})],
    )
    def test_a_batch_is_added_when_the_one_before_has_proved_itself(self, inside, proven, wanted):
        """First one, then two, then all four; the old ones stay beside them."""
        new, gone = news(4), olds(4)
        state = seen(*new, *gone, balancers=both(*nodes(new[:inside]), *nodes(gone)), proven=proven)

        assert rotation(goal(count=4, pace=CANARY), state) == {
            AddNodes(balancer=name, addresses=frozenset(wanted), port=NODE_PORT) for name in NAMES
        }

    @pytest.mark.parametrize(("inside", "proven"), [(1, 0), (2, 1)])
    def test_each_batch_is_watched(self, inside, proven):
        """Until it has proved itself, nothing else is done, and no old node is touched."""
        new, gone = news(4), olds(4)
        state = seen(*new, *gone, balancers=both(*nodes(new[:inside]), *nodes(gone)), proven=proven)

        assert rotation(goal(count=4, pace=CANARY), state) == {Watch(count=inside)}

    def test_the_last_batch_is_watched_with_the_old_nodes_draining(self):
        """All new requests go to the new servers then; the old nodes are still there, one change away."""
        new, gone = news(4), olds(4)
        full = seen(*new, *gone, balancers=both(*nodes(new), *nodes(gone)), proven=2)
        drains = seen(*new, *gone, balancers=both(*nodes(new), *nodes(gone, DRAINING)), proven=2)

        assert rotation(goal(count=4, pace=CANARY), full) == on_both(SetCondition, gone, condition=DRAINING)
        assert rotation(goal(count=4, pace=CANARY), drains) == {
            Watch(count=4),
            *(AwaitDrained(server_id=one.id) for one in gone),
        }

    def test_nothing_is_removed_before_the_last_watch_is_over(self):
        """Even if every connection is gone."""
        new, gone = news(4), olds(4)
        drained = frozenset(one.id for one in gone)
        waiting = seen(*new, *gone, balancers=both(*nodes(new), *nodes(gone, DRAINING)), proven=2, drained=drained)

        assert rotation(goal(count=4, pace=CANARY), waiting) == {Watch(count=4)}
        assert rotation(goal(count=4, pace=CANARY), seen_with(waiting, proven=4)) == on_both(RemoveNodes, gone)

    def test_servers_that_are_in_rotation_stay_there(self):
        """A run that goes on begins with those that are in, whichever slots they have."""
        new, gone = news(4), olds(4)
        state = seen(*new, *gone, balancers=both(node(new[2]), *nodes(gone)))

        assert rotation(goal(count=4, pace=CANARY), state) == {Watch(count=1)}

    def test_without_a_watch_there_is_one_batch(self):
        """All new nodes are added at once, and the old ones drained as soon as those are ONLINE."""
        new, gone = news(4), olds(4)
        state = seen(*new, *gone, balancers=both(*nodes(gone)))

        assert rotation(goal(count=4), state) == on_both(AddNodes, new, port=NODE_PORT)


class TestNodeLimit:
    def tight(self, count=4, limit=6, floor=4):
        """Give a goal for load balancers that have room for two more."""
        return goal(count=count, bounds=Bounds(nodes=limit, floors=dict.fromkeys(NAMES, floor)))

    def test_as_many_are_added_as_there_are_free_nodes(self):
        """Four old ones, six nodes: two at a time."""
        new, gone = news(4), olds(4)

        assert rotation(self.tight(), seen(*new, *gone, balancers=both(*nodes(gone)))) == on_both(
            AddNodes, new[:2], port=NODE_PORT
        )

    def test_as_many_old_ones_leave_as_there_are_more_than_at_the_start(self):
        """Two new ones serve, so the first two of the old ones can be spared."""
        new, gone = news(4), olds(4)
        state = seen(*new, *gone, balancers=both(*nodes(new[:2]), *nodes(gone)))

        assert rotation(self.tight(), state) == on_both(SetCondition, gone[:2], condition=DRAINING)

    @pytest.mark.parametrize("first", [HTTP, HTTPS])
    def test_what_has_begun_to_leave_one_load_balancer_leaves_the_other(self, first):
        """Load balancers are changed one after another: between the changes the same servers are meant to leave."""
        new, gone = news(4), olds(4)
        ahead = [*nodes(new[:2]), *nodes(gone[:2], DRAINING), *nodes(gone[2:])]
        behind = [*nodes(new[:2]), *nodes(gone)]
        (second,) = {HTTP, HTTPS} - {first}
        state = seen(*new, *gone, balancers=[balancer(*ahead, listener=first), balancer(*behind, listener=second)])

        assert rotation(self.tight(), state) == {
            SetCondition(balancer=second.name, addresses=at(gone[:2]), condition=DRAINING)
        }

    def test_an_old_server_that_is_offline_is_spared_first(self):
        """It serves nobody, so the floor does not count it, and one that serves must not leave in its place."""
        new, gone = news(4), olds(4)
        well, dead = gone[:3], gone[3]
        held = [*nodes(new[:1]), *nodes(well), node(dead, status=NodeStatus.OFFLINE)]
        state = seen(*new, *gone, balancers=both(*held))

        assert rotation(self.tight(limit=5, floor=4), state) == on_both(SetCondition, [dead], condition=DRAINING)

    def test_a_server_that_is_offline_at_one_port_is_needed_at_the_other(self):
        """Load balancers are counted one by one."""
        new, gone = news(4), olds(4)
        well, ill = nodes(gone), [node(one, status=NodeStatus.OFFLINE) for one in gone]
        state = seen(
            *new, *gone, balancers=[balancer(*nodes(new[:1]), *well), balancer(*nodes(new[:1]), *ill, listener=HTTPS)]
        )
        floors = {HTTP.name: 4, HTTPS.name: 0}

        assert rotation(goal(count=4, bounds=Bounds(nodes=5, floors=floors)), state) == on_both(
            SetCondition, gone[:1], condition=DRAINING
        )

    def test_more_nodes_than_the_limit_leave_no_room(self):
        """Where there are more already than there may be, none is added."""
        new, gone = news(2), olds(4)
        state = seen(*new, *gone, balancers=both(*nodes(gone)))

        assert rotation(self.tight(count=2, limit=3), state) == {GiveUpRoom(missing=2)}

    def test_without_any_room_it_gives_up(self):
        """No new one fits, and no old one can be spared: that is said, and nothing was changed."""
        new, gone = news(4), olds(4)
        state = seen(*new, *gone, balancers=both(*nodes(gone)))

        assert rotation(self.tight(limit=4), state) == {GiveUpRoom(missing=4)}

    def test_fewer_servers_than_before_make_room_by_themselves(self):
        """Two are wanted and four serve: two can leave at once."""
        new, gone = news(2), olds(4)
        state = seen(*new, *gone, balancers=both(*nodes(gone)))

        assert rotation(self.tight(count=2, limit=4, floor=2), state) == on_both(
            SetCondition, gone[:2], condition=DRAINING
        )


class TestQuota:
    def tight(self, **changes):
        """Give a goal of four servers where five are allowed."""
        return goal(count=4, bounds=Bounds(servers=5, floors=dict.fromkeys(NAMES, 4)), **changes)

    def test_only_as_many_servers_are_asked_for_as_there_is_room_for(self):
        """Four old ones, five allowed: one."""
        assert plan(self.tight(), seen(*olds(4), balancers=both(*nodes(olds(4))))) == {CreateServer(slot=1)}

    def test_the_rotation_begins_with_those_that_there_was_room_for(self):
        """One new server is ready: it is added."""
        state = seen(*news(1, Phase.READY), *olds(4), balancers=both(*nodes(olds(4))))

        assert plan(self.tight(), state) == on_both(AddNodes, news(1), port=NODE_PORT)

    def test_an_old_server_makes_room_for_the_next_new_one(self):
        """When it has left every load balancer it is deleted, not parked: its place is needed."""
        new, gone = news(1), olds(4)
        state = seen(*new, *gone, balancers=both(*nodes(new), *nodes(gone[1:])))

        assert plan(self.tight(pace=Pace(standby=60.0)), state) == {RetireServer(server_id="old-1")}

    def test_a_short_batch_is_watched_as_well(self):
        """What fits proves itself before the old server that it stands for is removed."""
        new, gone = news(1), olds(4)
        left = frozenset({"old-1"})
        held = both(*nodes(new), *nodes(gone[:1], DRAINING), *nodes(gone[1:]))
        watched = self.tight(pace=Pace(watch=30.0))

        assert plan(watched, seen(*new, *gone, balancers=held, drained=left)) == {Watch(count=1)}
        assert plan(watched, seen(*new, *gone, balancers=held, drained=left, proven=1)) == on_both(
            RemoveNodes, gone[:1]
        )


def seen_with(state, **changes):
    """Give an observation with something else found out."""
    return seen(*state.servers, balancers=state.balancers, drained=state.drained, **changes)


def test_servers_are_marked_when_they_are_online_everywhere():
    """Their metadata says that they serve."""
    new = news(1, Phase.READY)
    half = seen(*new, balancers=[balancer(*nodes(new)), balancer(listener=HTTPS)])

    assert MarkServing(server_id="new-1") not in rotation(goal(count=1), half)
    assert rotation(goal(count=1), seen(*new, balancers=both(*nodes(new)))) == {MarkServing(server_id="new-1")}


class TestProof:
    def test_new_servers_are_asked_once_more_before_an_old_one_leaves(self):
        """A load balancer without a health monitor calls every node ONLINE."""
        one, gone = server(1), old(1)
        unasked = seen(one, gone, balancers=both(node(one), node(gone)), probes={})
        asked = seen(one, gone, balancers=both(node(one), node(gone)))

        assert ProbeNew(server_id="new-1") in rotation(goal(count=1), unasked)
        assert {type(step) for step in rotation(goal(count=1), unasked)} == {ProbeNew, MarkServing}
        assert {type(step) for step in rotation(goal(count=1), asked)} == {SetCondition, MarkServing}

    def test_where_no_old_one_leaves_nobody_is_asked(self):
        """A first deploy has asked them a moment ago."""
        one = server(1)

        assert rotation(goal(count=1), seen(one, balancers=both(node(one)), probes={})) == {
            MarkServing(server_id="new-1")
        }
