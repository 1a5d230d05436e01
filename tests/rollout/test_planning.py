"""The planner from ready servers on: into rotation, the old ones out of it, sealing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rollout.forecast import forecast
from tasks.rollout.labels import Phase
from tasks.rollout.model import BalancerStatus, Condition, NodeStatus
from tasks.rollout.planning import plan, rotation
from tasks.rollout.steps import (
    AddNodes,
    AwaitDrained,
    AwaitOnline,
    CreateBalancer,
    MarkServing,
    RemoveNodes,
    RetireServer,
    Seal,
    SetCondition,
)
from tests.rollout.builders import HTTP, HTTPS, NODE_PORT, OLD, balancer, both, goal, node, old, seen, server


class TestRotatingIn:
    def test_the_first_listener_gets_its_load_balancer_first(self):
        """The others share its virtual IP, so they wait for it."""
        state = seen(server(1), server(2))

        assert plan(goal(), state) == {CreateBalancer(listener=HTTP, share_with=None)}

    def test_the_second_load_balancer_shares_the_virtual_ip_of_the_first(self):
        """Nodes are added to the first meanwhile."""
        state = seen(server(1), server(2), balancers=[balancer()])

        assert plan(goal(), state) == {
            CreateBalancer(listener=HTTPS, share_with=HTTP.name),
            AddNodes(balancer=HTTP.name, addresses=frozenset({"10.0.2.1", "10.0.2.2"}), port=NODE_PORT),
        }

    def test_all_new_nodes_are_added_in_one_change(self):
        """A load balancer takes one change at a time, so a change carries all nodes that are missing."""
        one, two = server(1), server(2)
        state = seen(one, two, balancers=[balancer(node(one)), balancer(node(one), node(two), listener=HTTPS)])

        assert plan(goal(), state) == {AddNodes(balancer=HTTP.name, addresses=frozenset({"10.0.2.2"}), port=NODE_PORT)}

    @pytest.mark.parametrize("status", [NodeStatus.OFFLINE, NodeStatus.UNKNOWN])
    def test_nodes_that_are_not_online_are_waited_for(self, status):
        """ENABLED is what we said; ONLINE is what the load balancer found."""
        one, gone = server(1), old(1)
        state = seen(one, gone, balancers=both(node(one, status=status), node(gone)))

        assert plan(goal(count=1), state) == {
            AwaitOnline(balancer=name, addresses=frozenset({"10.0.2.1"})) for name in (HTTP.name, HTTPS.name)
        }

    def test_a_busy_load_balancer_is_waited_for(self):
        """A load balancer that is not ACTIVE may not have taken the change in yet."""
        one = server(1)
        state = seen(one, balancers=[balancer(node(one), status=BalancerStatus.PENDING)])

        assert plan(goal(count=1, listeners=(HTTP,)), state) == {
            AwaitOnline(balancer=HTTP.name, addresses=frozenset({"10.0.2.1"}))
        }

    def test_new_nodes_that_rest_are_enabled(self):
        """A new node that was found DRAINING, after an interrupted run, is put back."""
        one = server(1)
        state = seen(one, balancers=[balancer(node(one, Condition.DRAINING))])

        assert plan(goal(count=1, listeners=(HTTP,)), state) == {
            SetCondition(balancer=HTTP.name, addresses=frozenset({"10.0.2.1"}), condition=Condition.ENABLED)
        }

    def test_nothing_is_drained_while_one_listener_lacks_a_new_node(self):
        """All load balancers are ready before an old node is touched on any."""
        one, gone = server(1), old(1)
        state = seen(one, gone, balancers=[balancer(node(one), node(gone)), balancer(node(gone), listener=HTTPS)])

        assert plan(goal(count=1), state) == {
            AddNodes(balancer=HTTPS.name, addresses=frozenset({"10.0.2.1"}), port=NODE_PORT)
        }


class TestTakingOut:
    def test_old_nodes_are_drained_on_every_listener(self):
        """Once all new nodes serve, the old ones get no new connections, and the new servers are marked."""
        one, gone = server(1), old(1)
        state = seen(one, gone, balancers=both(node(one), node(gone)))

        assert plan(goal(count=1), state) == {
            MarkServing(server_id="new-1"),
            SetCondition(balancer=HTTP.name, addresses=frozenset({"10.0.1.1"}), condition=Condition.DRAINING),
            SetCondition(balancer=HTTPS.name, addresses=frozenset({"10.0.1.1"}), condition=Condition.DRAINING),
        }

    def test_connections_are_waited_for_before_a_node_is_removed(self):
        """A draining server is watched until nobody is connected to it."""
        one, gone = server(1, Phase.SERVING), old(1)
        state = seen(one, gone, balancers=both(node(one), node(gone, Condition.DRAINING)))

        assert plan(goal(count=1), state) == {AwaitDrained(server_id="old-1")}

    def test_a_server_is_watched_only_when_it_drains_everywhere(self):
        """A connection does not tell through which load balancer it came."""
        one, gone = server(1, Phase.SERVING), old(1)
        draining, enabled = node(gone, Condition.DRAINING), node(gone)
        state = seen(one, gone, balancers=[balancer(node(one), draining), balancer(node(one), enabled, listener=HTTPS)])

        assert plan(goal(count=1), state) == {
            SetCondition(balancer=HTTPS.name, addresses=frozenset({"10.0.1.1"}), condition=Condition.DRAINING)
        }

    def test_drained_nodes_are_removed(self):
        """When its connections are gone, a node leaves every load balancer."""
        one, gone = server(1, Phase.SERVING), old(1)
        nodes = (node(one), node(gone, Condition.DRAINING))
        state = seen(one, gone, balancers=both(*nodes), drained=frozenset({"old-1"}))

        assert plan(goal(count=1), state) == {
            RemoveNodes(balancer=name, addresses=frozenset({"10.0.1.1"})) for name in (HTTP.name, HTTPS.name)
        }

    def test_a_server_is_retired_when_no_load_balancer_knows_it(self):
        """The server goes last."""
        one, gone = server(1, Phase.SERVING), old(1)

        assert plan(goal(count=1), seen(one, gone, balancers=both(node(one)))) == {RetireServer(server_id="old-1")}

    def test_a_server_is_kept_while_one_load_balancer_knows_it(self):
        """A node on one of two load balancers is enough to keep its server."""
        one, gone = server(1, Phase.SERVING), old(1)
        left = balancer(node(one), node(gone, Condition.DRAINING), listener=HTTPS)
        state = seen(one, gone, balancers=[balancer(node(one)), left], drained=frozenset({"old-1"}))

        assert plan(goal(count=1), state) == {RemoveNodes(balancer=HTTPS.name, addresses=frozenset({"10.0.1.1"}))}

    def test_an_old_node_on_another_port_is_taken_out_as_well(self):
        """The node port may have changed in the settings since the old servers were made."""
        one, gone = server(1, Phase.SERVING), old(1)
        state = seen(one, gone, balancers=[balancer(node(one), node(gone, port=9999))])

        assert plan(goal(count=1, listeners=(HTTP,)), state) == {
            SetCondition(balancer=HTTP.name, addresses=frozenset({"10.0.1.1"}), condition=Condition.DRAINING)
        }

    def test_foreign_nodes_are_left_alone(self):
        """A node whose address is none of our servers' is never drained or removed."""
        one, foreign = server(1, Phase.SERVING), old(9)

        assert plan(goal(count=1), seen(one, balancers=both(node(one), node(foreign)))) == frozenset()

    def test_newer_servers_that_serve_nothing_are_left_alone(self):
        """Somebody may be bringing them up just now."""
        serving, newer = old(1), server(1, Phase.BOOTING)
        state = seen(serving, newer, balancers=both(node(serving)))

        assert rotation(goal(count=1, generation=OLD), state) == frozenset()

    def test_newer_servers_that_serve_are_taken_out_when_an_older_generation_is_wanted(self):
        """Going back is a rotation like any other: drained, removed, deleted."""
        wanted, newer = old(1), server(1, Phase.SERVING)
        back = goal(count=1, generation=OLD, listeners=(HTTP,))
        drained = seen(wanted, newer, balancers=[balancer(node(wanted))], drained=frozenset({"new-1"}))

        assert rotation(back, seen(wanted, newer, balancers=[balancer(node(wanted), node(newer))])) == {
            SetCondition(balancer=HTTP.name, addresses=frozenset({"10.0.2.1"}), condition=Condition.DRAINING)
        }
        assert rotation(back, drained) == {RetireServer(server_id="new-1")}

    def test_nothing_is_left_to_do_when_the_generation_serves(self):
        """At the goal the bag is empty."""
        one, two = server(1, Phase.SERVING), server(2, Phase.SERVING)

        assert plan(goal(), seen(one, two, balancers=both(node(one), node(two)))) == frozenset()


class TestSealing:
    def test_servers_are_sealed_when_they_serve(self):
        """With nothing else in rotation, every server that is marked is sealed."""
        one, two = server(1, Phase.SERVING), server(2, Phase.SERVING)

        assert plan(goal(seal=True), seen(one, two, balancers=both(node(one), node(two)))) == {
            Seal(server_id="new-1"),
            Seal(server_id="new-2"),
        }

    def test_nothing_is_sealed_without_being_asked_for(self):
        """Sealing is a setting."""
        one = server(1, Phase.SERVING)

        assert plan(goal(count=1), seen(one, balancers=both(node(one)))) == frozenset()

    def test_a_server_is_marked_before_it_is_sealed(self):
        """Until the metadata says that it serves, it is not locked."""
        one = server(1)

        assert plan(goal(count=1, seal=True), seen(one, balancers=both(node(one)))) == {MarkServing(server_id="new-1")}

    @pytest.mark.parametrize("condition", [Condition.ENABLED, Condition.DRAINING])
    def test_nothing_is_sealed_while_there_is_a_way_back(self, condition):
        """As long as a load balancer knows an old server, the rotation can be undone."""
        one, gone = server(1, Phase.SERVING), old(1)
        state = seen(one, gone, balancers=both(node(one), node(gone, condition)))

        assert Seal(server_id="new-1") not in plan(goal(count=1, seal=True), state)

    def test_old_servers_are_deleted_meanwhile(self):
        """Sealing the new ones and deleting the old ones go side by side."""
        one, gone = server(1, Phase.SERVING), old(1)

        assert plan(goal(count=1, seal=True), seen(one, gone, balancers=both(node(one)))) == {
            Seal(server_id="new-1"),
            RetireServer(server_id="old-1"),
        }

    def test_a_sealed_server_is_sealed_once(self):
        """At the goal the bag is empty."""
        one = server(1, Phase.SERVING, sealed=True)

        assert plan(goal(count=1, seal=True), seen(one, balancers=both(node(one)))) == frozenset()

    def test_foreign_nodes_do_not_keep_servers_open(self):
        """A node that is none of our servers' is no way back."""
        one, foreign = server(1, Phase.SERVING), old(9)
        state = seen(one, balancers=both(node(one), node(foreign)))

        assert plan(goal(count=1, seal=True), state) == {Seal(server_id="new-1")}

    def test_a_forecast_ends_with_the_sealing(self):
        """`plan` says that servers will be sealed, last of all."""
        wanted = goal(count=1, seal=True)

        assert forecast(lambda now: plan(wanted, now), wanted, seen())[-1] == {
            Seal(server_id=wanted.request(1).name),
        }


@given(
    news=st.lists(st.sampled_from(Phase), min_size=0, max_size=3),
    conditions=st.lists(st.sampled_from([None, *Condition]), min_size=2, max_size=2),
    drained=st.booleans(),
)
def test_live_servers_are_never_deleted_or_removed_while_enabled(news, conditions, drained):
    """In whatever state: no ENABLED node is removed, and no server with a node is retired."""
    gone = old(1)
    servers = [server(slot, phase, migrated=slot == 1) for slot, phase in enumerate(news, start=1)]
    nodes = [[node(gone, condition)] if condition else [] for condition in conditions]
    news_nodes = [node(one) for one in servers]
    balancers = [
        balancer(*news_nodes, *nodes[0]),
        balancer(*news_nodes, *nodes[1], listener=HTTPS),
    ]
    state = seen(*servers, gone, balancers=balancers, drained=frozenset({gone.id} if drained else ()))

    for step in plan(goal(count=3), state) | rotation(goal(count=3), state):
        if isinstance(step, RetireServer):
            assert not any(one.nodes_of(state.server(step.server_id)) for one in state.balancers)
        if isinstance(step, RemoveNodes):
            held = state.balancer(step.balancer).nodes
            assert all(one.condition is not Condition.ENABLED for one in held if one.address in step.addresses)
