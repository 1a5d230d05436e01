"""Undoing a rollout: old nodes first, then the new ones, then the new servers."""

from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition
from tasks.rollout.reverting import Live, Place, has_begun, in_rotation, is_past_return, revert
from tasks.rollout.steps import AddNodes, AwaitDrained, ProbeNew, RemoveNodes, RetireServer, SetCondition
from tests.rollout.builders import HTTP, HTTPS, NODE_PORT, balancer, both, goal, live, node, old, seen, server

LIVE = live(old(1))


def test_before_the_rotation_only_new_servers_go():
    """A failure before any load balancer knows a new server deletes the new ones and touches nothing else."""
    state = seen(server(1), server(2, Phase.BOOTING), old(1), balancers=both(node(old(1))))

    assert revert(goal(), state, LIVE) == {RetireServer(server_id="new-1"), RetireServer(server_id="new-2")}
    assert not has_begun(goal(), state)


def test_old_nodes_are_put_back_before_new_ones_leave():
    """While an old node rests, nothing else is done on any load balancer."""
    one, gone = server(1), old(1)
    resting = balancer(node(one), node(gone, Condition.DRAINING))
    state = seen(one, gone, balancers=[resting, balancer(node(one), node(gone), listener=HTTPS)])

    assert revert(goal(), state, LIVE) == {
        SetCondition(balancer=HTTP.name, addresses=frozenset({"10.0.1.1"}), condition=Condition.ENABLED)
    }


def test_an_old_node_that_has_left_is_added_again():
    """An old server that was live and has no node any more gets one."""
    one, gone = server(1), old(1)
    state = seen(one, gone, balancers=[balancer(node(one)), balancer(node(one), node(gone), listener=HTTPS)])

    assert revert(goal(), state, LIVE) == {
        AddNodes(balancer=HTTP.name, addresses=frozenset({"10.0.1.1"}), port=NODE_PORT)
    }


def test_new_nodes_are_drained_then_removed_then_deleted():
    """The new servers may have taken requests by now, so they leave as old ones do."""
    one, gone = server(1), old(1)
    served = seen(one, gone, balancers=both(node(gone), node(one)))
    draining = seen(one, gone, balancers=both(node(gone), node(one, Condition.DRAINING)))

    assert {type(step) for step in revert(goal(), served, LIVE)} == {SetCondition}
    assert revert(goal(), draining, LIVE) == {AwaitDrained(server_id="new-1")}
    assert {type(step) for step in revert(goal(), draining.updated(), LIVE)} == {AwaitDrained}


def test_drained_new_nodes_are_removed():
    """The last steps of the way back."""
    one, gone = server(1), old(1)
    nodes = (node(gone), node(one, Condition.DRAINING))
    state = seen(one, gone, balancers=both(*nodes), drained=frozenset({"new-1"}))

    assert revert(goal(), state, LIVE) == {
        RemoveNodes(balancer=name, addresses=frozenset({"10.0.2.1"})) for name in (HTTP.name, HTTPS.name)
    }


def test_a_server_that_was_not_live_is_not_put_into_rotation():
    """A left-over of an earlier deploy, out of rotation when this one began, stays out."""
    leftover = old(2, phase=Phase.READY)
    state = seen(old(1), leftover, balancers=both(node(old(1))))

    assert revert(goal(), state, LIVE) == frozenset()


def test_what_is_live_is_what_gets_new_requests():
    """A node that drains is not live."""
    one, gone = old(1), old(2)
    state = seen(one, gone, balancers=[balancer(node(one), node(gone, Condition.DRAINING))])

    assert in_rotation(state).places == {Place("old-1", HTTP.name)}


def test_the_way_back_ends_when_an_old_node_has_left():
    """An old node leaves only after the new ones are ONLINE: from then on they are the ones that serve."""
    one, gone = server(1), old(1)
    before = seen(one, gone, balancers=both(node(one), node(gone, Condition.DRAINING)))
    after = seen(one, gone, balancers=[balancer(node(one)), balancer(node(one), node(gone), listener=HTTPS)])

    assert not is_past_return(goal(count=1), before, LIVE)
    assert is_past_return(goal(count=1), after, LIVE)


def test_a_first_deploy_can_always_be_undone():
    """When nothing was live, there is no way back to lose."""
    one = server(1)

    assert not is_past_return(goal(), seen(one, balancers=both(node(one))), Live())


def test_old_servers_are_asked_for_their_check_before_new_ones_leave():
    """One that has died meanwhile may still be called ONLINE; then the new ones are better than nothing."""
    one, gone = server(1), old(1)
    unasked = seen(one, gone, balancers=both(node(one), node(gone)), probes={})

    assert revert(goal(count=1), unasked, live(old(1))) == {ProbeNew(server_id="old-1")}
