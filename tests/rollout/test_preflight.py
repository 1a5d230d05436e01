"""Preflight: what is wrong is said before the first server exists, all of it at once."""

import pytest

from tasks.errors import CloudError
from tasks.findings import wrong
from tasks.rollout.goal import Bounds
from tasks.rollout.model import BalancerStatus, Condition
from tasks.rollout.preflight import preflight, require_marked
from tests.rollout.builders import HTTP, HTTPS, balancer, both, goal, node, old, seen, server

OLDS = [old(1), old(2)]
SERVING = both(*map(node, OLDS))


class Site:
    """A cloud that finds these problems, and whose marked load balancers are these."""

    def __init__(self, *, servers=(), listeners=(), marked=(), adopt=False):
        self.compute = self.balancers = self
        self.adopt = adopt
        self.marked = set(marked)
        self.asked = None
        self.said = []
        self._found = {"servers": list(servers), "listeners": list(listeners)}

    def findings(self, about):
        """Say what is wrong with so many more servers, or with these listeners."""
        if isinstance(about, int):
            self.asked = about
            return [wrong("servers", seen) for seen in self._found["servers"]]
        return [wrong("listeners", seen) for seen in self._found["listeners"]]

    def is_ours(self, balancer_id):
        """Say whether it is marked."""
        return balancer_id in self.marked

    def say(self, text):
        """Tell the operator."""
        self.said.append(text)


def complaints(wanted, state, **problems):
    """Give what preflight says; empty when it is content."""
    try:
        preflight(wanted, state, Site(**problems))
    except CloudError as error:
        return [line.strip() for line in str(error).splitlines()[1:]]
    return []


def bounded(count=2, **bounds):
    """Give a goal within bounds; as many have to serve as at the start, or as are wanted."""
    floors = dict.fromkeys((HTTP.name, HTTPS.name), min(count, len(OLDS)))
    return goal(count=count, bounds=Bounds(floors=floors, **bounds))


def test_when_all_is_well_nothing_is_said():
    """The deploy begins."""
    assert complaints(bounded(nodes=25), seen(*OLDS, balancers=SERVING)) == []


def test_everything_is_said_at_once():
    """The cloud's problems with servers and listeners, and ours with the load balancers, a line each."""
    broken = [balancer(status=BalancerStatus.ERROR), balancer(*map(node, OLDS), listener=HTTPS)]

    found = complaints(
        bounded(nodes=2), seen(*OLDS, balancers=broken), servers=["no such image"], listeners=["port 80 is taken"]
    )

    assert found[:2] == ["- no such image", "- port 80 is taken"]
    assert "is in status ERROR" in found[2]
    assert "2 is the limit" in found[3]
    assert len(found) == 4


@pytest.mark.parametrize(
    ("there", "quota", "asked"),
    [
        (OLDS, None, 2),
        (OLDS, 4, 2),
        (OLDS, 3, 1),
        (OLDS, 2, 1),
        ([*OLDS, server(1)], None, 1),
    ],
    ids=["no quota", "room for all", "room for one", "room for none", "one is there already"],
)
def test_servers_have_to_fit_beside_the_old_ones_or_one_of_them(there, quota, asked):
    """Old servers make room for new ones, but the first new one comes before that."""
    site = Site()

    preflight(bounded(servers=quota), seen(*there, balancers=SERVING), site)

    assert site.asked == asked


def test_where_nothing_serves_all_servers_have_to_fit():
    """Nobody makes room for them."""
    site = Site()

    preflight(bounded(servers=1), seen(balancers=both()), site)

    assert site.asked == 2


class TestNodes:
    @pytest.mark.parametrize(("limit", "is_said"), [(2, True), (3, False)])
    def test_one_new_node_has_to_fit_beside_the_old_ones(self, limit, is_said):
        """The others follow as old ones leave."""
        assert bool(complaints(bounded(nodes=limit), seen(*OLDS, balancers=SERVING))) is is_said

    @pytest.mark.parametrize("resting", [False, True])
    def test_old_nodes_that_can_be_spared_make_room(self, resting):
        """There are more than are wanted, or one of them rests already."""
        nodes = [node(OLDS[0], Condition.DRAINING if resting else Condition.ENABLED), node(OLDS[1])]

        assert complaints(bounded(count=1, nodes=2), seen(*OLDS, balancers=both(*nodes))) == []

    def test_new_nodes_that_are_there_already_need_no_room(self):
        """A rotation that is gone on with may find its load balancers full."""
        new = [server(1), server(2)]
        full = both(*map(node, [*OLDS, *new]))

        assert complaints(bounded(nodes=4), seen(*OLDS, *new, balancers=full)) == []

    @pytest.mark.parametrize("present", [(), both()], ids=["none yet", "empty ones"])
    def test_no_more_servers_can_be_wanted_than_a_load_balancer_has_nodes_for(self, present):
        """Whether there is one yet or not: it is said before the servers are built."""
        (*_, said) = complaints(bounded(count=26, nodes=25), seen(balancers=present))

        assert "25 nodes" in said
        assert "26 servers are wanted" in said


class TestMarks:
    def test_load_balancers_of_ours_are_used(self):
        """They carry our mark."""
        require_marked(seen(balancers=[balancer()]), Site(marked=[balancer().id]))

    def test_one_that_was_made_by_hand_is_not_touched(self):
        """It is named, with the way to take it over."""
        site = Site(marked=[balancer().id])

        with pytest.raises(CloudError, match=f"of ours: {HTTPS.name}") as refused:
            require_marked(seen(balancers=both()), site)

        assert "--adopt" in refused.value.advice
