from __future__ import annotations

import pytest

from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.faults import Stuck
from tasks.cloud.identity import Access
from tasks.cloud.patient import Pace
from tasks.errors import Conflict, Immutable, NotFound, QuotaExceeded, TimedOut, Uncertain
from tasks.rollout.model import BalancerStatus, Condition, Listener
from tests.cloud.clb_wire import ACCEPTED, LISTENER, METADATA, NOT_ACTIVE, PENDING, PROFILE, listed, shown
from tests.cloud.virtual_clock import VirtualClock
from tests.cloud.wire import Reply, Wire


@pytest.fixture
def balancers(access: Access, pace: Pace, wire: Wire) -> CloudLoadBalancers:
    """Make the load balancer port of the scripted cloud, whose load balancers take metadata."""
    wire.on("POST", METADATA, Reply(body={"metadata": []}))
    return CloudLoadBalancers(access, PROFILE, pace)


class TestChanging:
    """Adding, draining and removing nodes; creating."""

    def test_trap_1_all_nodes_are_added_in_one_change(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """Nodes are added together and ENABLED, since a second change would find the load balancer busy."""
        wire.on("POST", "/loadbalancers/7/nodes$", Reply(status=202, body={"nodes": []}))

        balancers.add_nodes("7", {"10.0.0.1": "a", "10.0.0.2": "b"}, 8000)

        (asked,) = wire.received("POST", "/nodes$")
        assert asked.body == {
            "nodes": [
                {"address": "10.0.0.1", "port": 8000, "condition": "ENABLED"},
                {"address": "10.0.0.2", "port": 8000, "condition": "ENABLED"},
            ]
        }

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (PENDING, Immutable),
            (Reply(status=422, body={"message": "Duplicate nodes detected. One or more", "code": 422}), Conflict),
            (Reply(status=413, body={"message": "Nodes must not exceed 25 per load balancer."}), QuotaExceeded),
            (Reply(lost=True), Uncertain),
        ],
    )
    def test_trap_3_4_a_refused_addition_says_why(
        self, balancers: CloudLoadBalancers, wire: Wire, reply: Reply, error: type[Exception]
    ) -> None:
        """Busy, there already, too many and "nobody knows" are different errors."""
        wire.on("POST", "/nodes$", reply)

        with pytest.raises(error, match=r"adding 10\.0\.0\.1 to load balancer 7"):
            balancers.add_nodes("7", {"10.0.0.1": "a"}, 8000)

        assert len(wire.received("POST", "/nodes$")) == 1

    def test_all_conditions_are_set_in_one_change(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """Many nodes are drained by one bulk update."""
        wire.on("PUT", "/loadbalancers/7/nodes$", Reply(status=202, body={"nodes": []}))

        balancers.set_condition("7", ["1", "2"], Condition.DRAINING)

        (asked,) = wire.received("PUT")
        assert asked.body == {"nodes": [{"id": 1, "condition": "DRAINING"}, {"id": 2, "condition": "DRAINING"}]}

    @pytest.mark.parametrize("status", [404, 405])
    def test_without_bulk_update_nodes_are_set_one_by_one(
        self, balancers: CloudLoadBalancers, wire: Wire, clock: VirtualClock, status: int
    ) -> None:
        """A service without bulk update gets one change after the other, each when it is no longer busy."""
        wire.on("PUT", "/nodes$", Reply(status=status))
        wire.on("PUT", "/nodes/1$", ACCEPTED)
        wire.on("PUT", "/nodes/2$", PENDING, PENDING, ACCEPTED)

        balancers.set_condition("7", ["1", "2"], Condition.DRAINING)

        assert [asked.path[-7:] for asked in wire.received("PUT", r"/nodes/\d$")] == ["nodes/1", *["nodes/2"] * 3]
        assert len(clock.pauses) == 2

    def test_trap_10_a_nodes_address_is_never_sent_back(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A change of one node carries its new condition and nothing else, as anything else is refused."""
        wire.on("PUT", "/nodes$", Reply(status=405))
        wire.on("PUT", "/nodes/1$", ACCEPTED)

        balancers.set_condition("7", ["1"], Condition.DISABLED)

        assert wire.received("PUT")[-1].body == {"node": {"condition": "DISABLED"}}

    def test_a_busy_balancer_is_left_to_the_caller(
        self, balancers: CloudLoadBalancers, wire: Wire, clock: VirtualClock
    ) -> None:
        """A load balancer that is busy at the first try is Immutable at once: somebody else is changing it."""
        wire.on("PUT", "/nodes$", PENDING)

        with pytest.raises(Immutable):
            balancers.set_condition("7", ["1", "2"], Condition.DRAINING)

        assert clock.pauses == []

    def test_a_part_that_is_never_accepted_has_a_deadline(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A load balancer that stays busy between the parts of a change ends in an error that names the part."""
        wire.on("PUT", "/nodes$", Reply(status=405))
        wire.on("PUT", "/nodes/1$", ACCEPTED)
        wire.on("PUT", "/nodes/2$", PENDING)

        with pytest.raises(TimedOut, match="waited 120 s for load balancer 7 to take part 2 of 2"):
            balancers.set_condition("7", ["1", "2"], Condition.DRAINING)

    def test_nothing_to_do_asks_nothing(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """Empty changes are not sent: the API refuses them."""
        before = len(wire.requests)

        balancers.add_nodes("7", {}, 8000)
        balancers.set_condition("7", [], Condition.DRAINING)
        balancers.remove_nodes("7", [])

        assert len(wire.requests) == before

    def test_trap_6_nodes_are_removed_in_tens(
        self, balancers: CloudLoadBalancers, wire: Wire, clock: VirtualClock
    ) -> None:
        """Twelve nodes go in two bulk deletes, the second when the first is done."""
        wire.on("DELETE", "/loadbalancers/7/nodes$", ACCEPTED, NOT_ACTIVE, ACCEPTED)
        shown(wire, status="PENDING_UPDATE")

        balancers.remove_nodes("7", [str(n) for n in range(1, 13)])

        asked = [request.query["id"] for request in wire.received("DELETE")]
        assert asked == [[str(n) for n in range(1, 11)], ["11", "12"], ["11", "12"]]
        assert len(clock.pauses) == 1

    def test_trap_6_nodes_that_are_gone_do_not_keep_the_others(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """When the API refuses a bulk delete because some ids are gone, the others are sent again."""
        body = {
            "validationErrors": {"messages": ["Node ids 1,3 are not a part of your loadbalancer"]},
            "message": "Validation Failure",
            "code": 400,
        }
        wire.on("DELETE", "/nodes$", Reply(status=400, body=body), ACCEPTED)

        balancers.remove_nodes("7", ["1", "2", "3"])

        assert [request.query["id"] for request in wire.received("DELETE")] == [["1", "2", "3"], ["2"]]

    def test_trap_6_a_refusal_that_names_other_nodes_ends_it(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A refusal because of ids that were never sent is an error, and not tried for ever."""
        body = {"validationErrors": {"messages": ["Node ids 7 are not a part of your loadbalancer"]}}
        wire.on("DELETE", "/nodes$", Reply(status=400, body=body))

        with pytest.raises(NotFound, match="Node ids 7 are not a part"):
            balancers.remove_nodes("7", ["1", "2"])

    def test_nodes_that_are_all_gone_are_removed(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """Removing nodes that are all gone is no error."""
        body = {"validationErrors": {"messages": ["Node ids 1,2 are not a part of your loadbalancer"]}}
        wire.on("DELETE", "/nodes$", Reply(status=400, body=body))

        balancers.remove_nodes("7", ["1", "2"])

        assert len(wire.received("DELETE")) == 1

    @pytest.mark.parametrize("status", [404, 410])
    def test_nodes_of_no_balancer_are_gone(self, balancers: CloudLoadBalancers, wire: Wire, status: int) -> None:
        """Nodes whose load balancer is gone are gone."""
        wire.on("DELETE", "/nodes$", Reply(status=status))

        balancers.remove_nodes("7", ["1"])

        assert len(wire.received("DELETE")) == 1

    def test_trap_2_not_active_may_mean_busy(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A bulk delete hides the status behind "not ACTIVE": while it is pending, it is Immutable."""
        wire.on("DELETE", "/nodes$", NOT_ACTIVE)
        shown(wire, status="PENDING_UPDATE")

        with pytest.raises(Immutable):
            balancers.remove_nodes("7", ["1"])

    def test_trap_2_not_active_may_mean_broken(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A load balancer in ERROR never becomes ACTIVE by waiting: the error says who can help."""
        wire.on("DELETE", "/nodes$", NOT_ACTIVE)
        shown(wire, status="ERROR")

        with pytest.raises(Stuck, match=r"(?s)load balancer 7 is in ERROR.*support"):
            balancers.remove_nodes("7", ["1"])

    @pytest.mark.parametrize("status", ["PENDING_DELETE", "DELETED"])
    def test_trap_2_not_active_may_mean_going_away(
        self, balancers: CloudLoadBalancers, wire: Wire, status: str
    ) -> None:
        """The nodes of a load balancer that goes away go with it."""
        wire.on("DELETE", "/nodes$", NOT_ACTIVE)
        shown(wire, status=status)

        balancers.remove_nodes("7", ["1"])

        assert len(wire.received("DELETE")) == 1

    def test_a_creation_gives_what_was_made(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A new load balancer is pending and knows its virtual IPs."""
        wire.on("POST", "/loadbalancers$", Reply(status=202, body={"loadBalancer": listed(status="BUILD")}))

        made = balancers.create(LISTENER, None)
        assert made.status is BalancerStatus.PENDING
        assert made.virtual_ips[0].address == "198.51.100.1"

    def test_a_second_balancer_shares_all_virtual_ips(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """The load balancer of port 443 gets the IPv4 and the IPv6 address of the first, by their ids alone."""
        wire.on("POST", "/loadbalancers$", Reply(status=202, body={"loadBalancer": listed(status="BUILD")}))
        first = balancers.create(LISTENER, None)

        balancers.create(Listener(name="guestbook-live-https", port=443, protocol="HTTPS", node_port=8443), first)

        assert wire.requests[-1].body["loadBalancer"]["virtualIps"] == [{"id": 15}, {"id": 9000137}]
