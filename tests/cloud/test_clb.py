from __future__ import annotations

import pytest

from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.identity import Access
from tasks.cloud.patient import Pace
from tasks.errors import Conflict, NotFound
from tasks.rollout.model import BalancerStatus, Condition, NodeStatus
from tests.cloud.clb_wire import LISTENER, PROFILE, in_list, listed, node, shown
from tests.cloud.problems import problems
from tests.cloud.wire import Reply, Wire


@pytest.fixture
def balancers(access: Access, pace: Pace) -> CloudLoadBalancers:
    """Make the load balancer port of the scripted cloud."""
    return CloudLoadBalancers(access, PROFILE, pace)


class TestReading:
    """What is found and shown."""

    def test_a_balancer_is_read(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """The details become a load balancer with both virtual IPs and its nodes."""
        shown(wire, nodes=[node(1), node(2, condition="DRAINING", status="OFFLINE", weight=3)])

        found = balancers.show("7")
        assert (found.id, found.name, found.port, found.status) == ("7", LISTENER.name, 80, BalancerStatus.ACTIVE)
        assert [ip.id for ip in found.virtual_ips] == ["15", "9000137"]
        assert [(n.id, n.condition, n.status, n.weight) for n in found.nodes] == [
            ("1", Condition.ENABLED, NodeStatus.ONLINE, 1),
            ("2", Condition.DRAINING, NodeStatus.OFFLINE, 3),
        ]

    def test_trap_9_what_is_left_out_has_its_default(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A load balancer without nodes has no "nodes" at all, and a node without a weight weighs 1."""
        shown(wire)
        assert balancers.show("7").nodes == ()

        shown(wire, nodes=[node(1)])
        assert balancers.show("7").nodes[0].weight == 1

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("BUILD", BalancerStatus.PENDING),
            ("PENDING_UPDATE", BalancerStatus.PENDING),
            ("PENDING-UPDATE", BalancerStatus.PENDING),
            ("PENDING_DELETE", BalancerStatus.DELETED),
            ("SUSPENDED", BalancerStatus.ERROR),
            ("ERROR", BalancerStatus.ERROR),
            ("MIGRATING", BalancerStatus.UNKNOWN),
        ],
    )
    def test_every_status_has_a_meaning(
        self, balancers: CloudLoadBalancers, wire: Wire, word: str, status: BalancerStatus
    ) -> None:
        """All documented statuses are mapped, and one that nobody knows does not crash."""
        shown(wire, status=word)

        assert balancers.show("7").status is status

    def test_a_node_status_that_nobody_knows_is_unknown(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A node status other than ONLINE and OFFLINE does not crash."""
        shown(wire, nodes=[node(1, status="DRAINING")])

        assert balancers.show("7").nodes[0].status is NodeStatus.UNKNOWN

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(status=404, body={"message": "Load balancer not found", "code": 404}),
            Reply(status=410, body={"message": "The loadbalancer is marked as deleted.", "code": 410}),
            Reply(body={"loadBalancer": {"id": 7, "name": LISTENER.name, "status": "DELETED"}}),
        ],
    )
    def test_trap_14_gone_is_gone(self, balancers: CloudLoadBalancers, wire: Wire, reply: Reply) -> None:
        """404, 410 and status DELETED all mean that it is gone."""
        wire.on("GET", "/loadbalancers/7$", reply)

        with pytest.raises(NotFound, match="showing load balancer 7"):
            balancers.show("7")

    def test_balancers_are_found_by_name_and_port(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """Of all load balancers of the account, that with the listener's name and port is shown with its nodes."""
        in_list(wire, [listed(5, port=443), listed(6, name="other"), listed(7)])
        shown(wire, nodes=[node(1)])

        (found,) = balancers.find([LISTENER])
        assert found.id == "7"
        assert len(found.nodes) == 1

    @pytest.mark.parametrize("status", ["DELETED", "PENDING_DELETE"])
    def test_those_that_go_away_do_not_count(self, balancers: CloudLoadBalancers, wire: Wire, status: str) -> None:
        """A deleted load balancer of that name is not found."""
        in_list(wire, [listed(status=status)])

        assert balancers.find([LISTENER]) == ()

    def test_one_that_goes_away_while_we_look_does_not_count(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A load balancer that the list still has and that is gone when it is shown is not found."""
        in_list(wire, [listed()])

        assert balancers.find([LISTENER]) == ()

    def test_two_of_one_name_and_port_are_a_conflict(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """Between two load balancers of the same name and port nobody chooses; both ids are named."""
        in_list(wire, [listed(7), listed(8)])

        with pytest.raises(Conflict, match=r"2 load balancers are named 'guestbook-live-http' .* port 80: 7, 8"):
            balancers.find([LISTENER])

    def test_every_page_is_read(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A full page of a hundred is followed by the next, from its last id."""
        in_list(wire, [listed(n, name="other") for n in range(100, 200)], [listed()])
        shown(wire)

        assert len(balancers.find([LISTENER])) == 1
        assert [asked.query.get("marker") for asked in wire.received("GET", "/loadbalancers$")] == [None, ["199"]]

    def test_a_page_that_comes_twice_ends_the_list(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A service that does not understand the marker neither hangs us nor doubles a load balancer."""
        in_list(wire, [listed(7), *(listed(n, name="other") for n in range(100, 199))])
        shown(wire)

        assert len(balancers.find([LISTENER])) == 1

    def test_who_knows_an_address_is_told(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """The names of all living load balancers with a node at an address are given (CLB docs, list, nodeaddress)."""
        short = [{"id": 1, "name": "a", "status": "ACTIVE"}, {"id": 2, "name": "b", "status": "DELETED"}]
        in_list(wire, short)

        assert balancers.knowing("10.0.0.1") == ("a",)
        assert wire.requests[-1].query["nodeaddress"] == ["10.0.0.1"]

    def test_the_node_limit_is_the_accounts(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """The limit that support may have raised is read; where it is not told, it is the documented 25."""
        limits = {"absolute": [{"name": "NODE_LIMIT", "value": 50}]}
        wire.on("GET", "/absolutelimits$", Reply(body=limits), Reply(body={"absolute": []}))

        assert balancers.node_limit() == 50
        assert balancers.node_limit() == 25

    @pytest.mark.parametrize(
        ("there", "said"),
        [(25, ["25 of 25 load balancers are used, and 1 more are needed; have it raised, or delete one"]), (24, [])],
    )
    def test_an_account_that_is_full_is_a_problem(
        self, balancers: CloudLoadBalancers, wire: Wire, there: int, said: list[str]
    ) -> None:
        """When the account may not have one more load balancer, that is said before anything is made."""
        wire.on("GET", "/absolutelimits$", Reply(body={"absolute": []}))
        in_list(wire, [listed(n, name="other") for n in range(there)])

        assert problems(balancers.findings([LISTENER])) == said

    def test_what_is_there_needs_no_room(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A full account is no problem when every load balancer exists."""
        wire.on("GET", "/absolutelimits$", Reply(body={"absolute": [{"name": "LOADBALANCER_LIMIT", "value": 1}]}))
        in_list(wire, [listed()])

        assert problems(balancers.findings([LISTENER])) == []
