from __future__ import annotations

import pytest

from tasks.cloud.identity import Access
from tasks.cloud.octavia import UNLIMITED, OctaviaLoadBalancers
from tasks.cloud.patient import Pace
from tasks.errors import CloudUnreachable, Conflict, NotFound
from tasks.rollout.model import BalancerStatus, Condition, NodeStatus
from tests.cloud.octavia_wire import (
    HTTP,
    HTTPS,
    NOT_THERE,
    PROFILE,
    listener,
    lists,
    member,
    pool,
    shared,
    shows,
    stands,
)
from tests.cloud.wire import PROJECT, Reply, Wire


@pytest.fixture
def balancers(access: Access, pace: Pace) -> OctaviaLoadBalancers:
    """Make the load balancer port of the scripted cloud."""
    return OctaviaLoadBalancers(access, PROFILE, pace)


class TestReading:
    """What is found and shown."""

    def test_a_listener_is_read(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A listener, its pool and the load balancer they are on become one load balancer of ours."""
        stands(wire, member(1), member(2))

        found = balancers.show("listener")
        assert (found.id, found.name, found.port, found.protocol) == ("listener", HTTP.name, 80, "HTTP")
        assert [(ip.id, ip.address) for ip in found.virtual_ips] == [("port-1", "198.51.100.1")]
        assert [(node.id, node.address, node.port, node.weight) for node in found.nodes] == [
            ("m1", "10.0.0.1", 8000, 1),
            ("m2", "10.0.0.2", 8000, 1),
        ]

    def test_every_virtual_ip_is_read(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """Further virtual IPs, which the API has since v2.26, come after the first."""
        stands(wire, additional_vips=[{"port_id": "port-2", "ip_address": "2001:db8::1", "subnet_id": "s"}])

        assert [ip.address for ip in balancers.show("listener").virtual_ips] == ["198.51.100.1", "2001:db8::1"]

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("ACTIVE", BalancerStatus.ACTIVE),
            ("PENDING_CREATE", BalancerStatus.PENDING),
            ("PENDING_UPDATE", BalancerStatus.PENDING),
            ("PENDING_DELETE", BalancerStatus.DELETED),
            ("ERROR", BalancerStatus.ERROR),
            ("MIGRATING", BalancerStatus.UNKNOWN),
        ],
    )
    def test_every_status_has_a_meaning(
        self, balancers: OctaviaLoadBalancers, wire: Wire, word: str, status: BalancerStatus
    ) -> None:
        """All documented provisioning statuses are mapped, and one that nobody knows does not crash."""
        stands(wire, provisioning_status=word)

        assert balancers.show("listener").status is status

    def test_a_pool_in_error_is_an_error(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A pool in ERROR takes no members, however ACTIVE its load balancer is."""
        stands(wire)
        shows(wire, "pools", pool(provisioning_status="ERROR"))

        assert balancers.show("listener").status is BalancerStatus.ERROR

    @pytest.mark.parametrize(
        ("changes", "condition"),
        [
            ({}, Condition.ENABLED),
            ({"weight": 0}, Condition.DRAINING),
            ({"admin_state_up": False}, Condition.DISABLED),
            ({"admin_state_up": False, "weight": 0}, Condition.DISABLED),
        ],
    )
    def test_a_members_condition_is_its_weight_and_admin_state(
        self, balancers: OctaviaLoadBalancers, wire: Wire, changes: dict[str, object], condition: Condition
    ) -> None:
        """Weight 0 is draining, administratively down is disabled."""
        stands(wire, member(1, **changes))

        assert balancers.show("listener").nodes[0].condition is condition

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"operating_status": "ONLINE"}, NodeStatus.ONLINE),
            ({"operating_status": "NO_MONITOR"}, NodeStatus.ONLINE),
            ({"operating_status": "DRAINING"}, NodeStatus.ONLINE),
            ({"operating_status": "OFFLINE"}, NodeStatus.OFFLINE),
            ({"operating_status": "ERROR"}, NodeStatus.OFFLINE),
            ({"operating_status": "DREAMING"}, NodeStatus.UNKNOWN),
            ({"operating_status": "ONLINE", "provisioning_status": "ERROR"}, NodeStatus.OFFLINE),
        ],
    )
    def test_a_members_status_is_what_octavia_sees(
        self, balancers: OctaviaLoadBalancers, wire: Wire, changes: dict[str, object], status: NodeStatus
    ) -> None:
        """Without a monitor there is nothing to wait for; a member that could not be set up is never ONLINE."""
        stands(wire, member(1, **changes))

        assert balancers.show("listener").nodes[0].status is status

    def test_a_listener_that_is_gone_is_not_found(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A listener that does not exist is not found."""
        wire.on("GET", "/listeners/listener$", NOT_THERE)

        with pytest.raises(NotFound, match="showing load balancer listener"):
            balancers.show("listener")

    def test_a_listener_without_a_pool_is_not_found(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A listener whose pool somebody took away is none of ours any more."""
        stands(wire)
        shows(wire, "listeners", listener(default_pool_id=None))

        with pytest.raises(NotFound, match="has no default pool"):
            balancers.show("listener")


class TestFinding:
    """Which listeners are ours."""

    def test_listeners_are_found_by_name_and_port(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """Of all listeners on our load balancer, that with the name and port is found."""
        stands(wire, member(1))
        lists(wire, "listeners", listener(id="a", name="other"), listener(id="b", protocol_port=81), listener())

        (found,) = balancers.find([HTTP, HTTPS])
        assert (found.id, len(found.nodes)) == ("listener", 1)

    def test_the_load_balancer_is_that_of_our_app_and_environment(
        self, balancers: OctaviaLoadBalancers, wire: Wire
    ) -> None:
        """A load balancer of another name is not ours, whatever is on it."""
        stands(wire, name="guestbook-staging")

        assert balancers.find([HTTP]) == ()

    @pytest.mark.parametrize("status", ["PENDING_DELETE", "DELETED"])
    def test_one_that_goes_away_does_not_count(self, balancers: OctaviaLoadBalancers, wire: Wire, status: str) -> None:
        """A load balancer that is being deleted is not found."""
        stands(wire, provisioning_status=status)

        assert balancers.find([HTTP]) == ()

    @pytest.mark.parametrize(
        "reply", [NOT_THERE, Reply(body={"listener": listener(provisioning_status="PENDING_DELETE")})]
    )
    def test_a_listener_that_goes_away_while_we_look_does_not_count(
        self, balancers: OctaviaLoadBalancers, wire: Wire, reply: Reply
    ) -> None:
        """A listener that the list still has and that is gone, or going, when it is shown is not found."""
        stands(wire)
        wire.on("GET", "/listeners/listener$", reply)

        assert balancers.find([HTTP]) == ()

    def test_two_load_balancers_of_one_name_are_a_conflict(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """Between two load balancers of our name nobody chooses; both ids are named."""
        lists(wire, "loadbalancers", shared(), shared(id="lb2"))

        with pytest.raises(Conflict, match=r"2 load balancers are named 'guestbook-live': lb, lb2"):
            balancers.find([HTTP])

    def test_what_belongs_to_other_projects_is_not_ours(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """An administrator's list shows every project: only our own is asked for, and only our own is taken."""
        stands(wire, project_id="another")

        assert balancers.find([HTTP]) == ()
        assert wire.requests[-1].query["project_id"] == [PROJECT]

    def test_a_filter_that_is_ignored_does_no_harm(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A listener of another load balancer is not taken for ours, even if the API lists it."""
        stands(wire)
        lists(wire, "listeners", listener(id="theirs", loadbalancers=[{"id": "other"}]))

        assert balancers.find([HTTP]) == ()


class TestKnowing:
    """Who sends requests to an address."""

    def test_every_pool_with_a_member_at_the_address_is_named(
        self, balancers: OctaviaLoadBalancers, wire: Wire
    ) -> None:
        """All pools of the project are looked at, ours or not; one without a name is named by its id."""
        ids = [{"id": "m1"}]
        lists(wire, "pools", pool(members=ids), pool(id="p2", name="", members=ids), pool(id="p3", members=ids))
        lists(wire, "pools/pool/members", member(1))
        lists(wire, "pools/p2/members", member(1, weight=0, protocol_port=9000))
        lists(wire, "pools/p3/members", member(2))

        assert balancers.knowing("10.0.0.1") == (HTTP.name, "p2")

    def test_pools_that_are_empty_or_gone_know_nobody(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A pool without members is not asked, and one that goes away meanwhile is no error."""
        lists(wire, "pools", pool(id="empty"), pool(id="going", members=[{"id": "m1"}]))
        wire.on("GET", "/pools/going/members$", NOT_THERE)

        assert balancers.knowing("10.0.0.1") == ()
        assert wire.received("GET", "/pools/empty/members$") == []

    def test_a_pool_that_cannot_be_asked_is_an_error(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """Not knowing who knows an address is never taken for nobody."""
        lists(wire, "pools", pool(members=[{"id": "m1"}]))
        wire.on("GET", "/pools/pool/members$", Reply(status=503))

        with pytest.raises(CloudUnreachable, match=r"finding the load balancers that know 10\.0\.0\.1"):
            balancers.knowing("10.0.0.1")


class TestLimits:
    """How many nodes there may be."""

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(body={"quota": {"member": -1}}),
            Reply(body={"quota": {"member": None}}),
            Reply(body={"quota": {}}),
            Reply(status=403, body={"faultstring": "Policy does not allow this request to be performed."}),
            Reply(status=404),
        ],
    )
    def test_there_may_be_no_limit(self, balancers: OctaviaLoadBalancers, wire: Wire, reply: Reply) -> None:
        """Without a quota, or where we may not read it, the API itself has the last word."""
        wire.on("GET", f"/quotas/{PROJECT}$", reply)

        assert balancers.node_limit() == UNLIMITED

    def test_the_quota_is_divided_among_our_pools(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """What other pools use is taken off, and each of ours gets its share of the rest."""
        stands(wire, member(1))
        ours = [pool(members=[{"id": "m1"}]), pool(id="pool2")]
        theirs = pool(id="other", loadbalancers=[{"id": "lb9"}], members=[{"id": "a"}, {"id": "b"}])
        lists(wire, "pools", *ours, theirs)
        wire.on("GET", "/quotas/", Reply(body={"quota": {"member": 13}}))

        assert balancers.node_limit() == 5

    def test_before_there_are_pools_the_quota_is_the_limit(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A project without load balancers may use its whole quota."""
        lists(wire, "loadbalancers")
        lists(wire, "pools")
        wire.on("GET", "/quotas/", Reply(body={"quota": {"member": 13}}))

        assert balancers.node_limit() == 13
