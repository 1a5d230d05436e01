from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tasks.cloud.faults import Stuck
from tasks.cloud.identity import Access
from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.cloud.patient import Pace
from tasks.errors import Conflict, Immutable, NotFound, QuotaExceeded, TimedOut, Uncertain
from tasks.rollout.model import Condition
from tests.cloud.octavia_wire import (
    ACCEPTED,
    ALL_MEMBERS,
    BUSY,
    DELETED,
    NOT_THERE,
    PROFILE,
    listener,
    member,
    shared,
    shows,
    stands,
    versions,
)
from tests.cloud.virtual_clock import VirtualClock
from tests.cloud.wire import Reply, Wire

DUPLICATE = "Another member on this pool is already using ip 10.0.0.1 on protocol_port 8000"

Change = Callable[[OctaviaLoadBalancers], None]


def add(balancers: OctaviaLoadBalancers) -> None:
    """Add two nodes."""
    balancers.add_nodes("listener", ["10.0.0.8", "10.0.0.9"], 8000)


def drain(balancers: OctaviaLoadBalancers) -> None:
    """Drain the first two nodes."""
    balancers.set_condition("listener", ["m1", "m2"], Condition.DRAINING)


def remove(balancers: OctaviaLoadBalancers) -> None:
    """Remove the first two nodes."""
    balancers.remove_nodes("listener", ["m1", "m2"])


@pytest.fixture
def balancers(access: Access, pace: Pace, wire: Wire) -> OctaviaLoadBalancers:
    """Make the load balancer port of an Octavia that takes additive batches."""
    versions(wire, "v2.0", "v2.11")
    wire.on("PUT", ALL_MEMBERS, ACCEPTED)
    wire.on("DELETE", "/members/", DELETED)
    stands(wire, member(1), member(2))
    return OctaviaLoadBalancers(access, PROFILE, pace)


@pytest.fixture
def old(balancers: OctaviaLoadBalancers, wire: Wire) -> OctaviaLoadBalancers:
    """Make the load balancer port of an Octavia whose batches would delete what they do not name."""
    versions(wire, "v2.0", "v2.10")
    return balancers


def batch(wire: Wire) -> list[dict[str, Any]]:
    """Give the members of the only batch that was sent."""
    (asked,) = wire.received("PUT", ALL_MEMBERS)
    assert asked.query == {"additive_only": ["true"]}
    return list(asked.body["members"])


class TestBatches:
    """From API version v2.11 on, many members are one change."""

    def test_all_members_are_added_in_one_change(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """Members are added together, taking requests at once."""
        add(balancers)

        enabled = {"protocol_port": 8000, "weight": 1, "admin_state_up": True}
        assert batch(wire) == [{"address": "10.0.0.8", **enabled}, {"address": "10.0.0.9", **enabled}]

    def test_members_may_have_a_subnet(self, access: Access, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """Members on another subnet than the virtual IP say so."""
        subnet = "22222222-2222-2222-2222-222222222222"

        add(OctaviaLoadBalancers(access, replace(PROFILE, member_subnet=subnet)))

        assert {each["subnet_id"] for each in batch(wire)} == {subnet}

    def test_trap_32_a_batch_never_deletes(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """Every batch says additive_only, without which members that it does not name are deleted."""
        add(balancers)
        drain(balancers)

        assert [asked.query for asked in wire.received("PUT")] == [{"additive_only": ["true"]}] * 2

    def test_trap_32_draining_members_stay_so_when_others_are_added(
        self, balancers: OctaviaLoadBalancers, wire: Wire
    ) -> None:
        """A batch that adds names nobody who is there, so that a draining member keeps its weight of 0."""
        stands(wire, member(1, weight=0))

        add(balancers)

        assert [each["address"] for each in batch(wire)] == ["10.0.0.8", "10.0.0.9"]

    def test_trap_32_a_member_is_listed_again_with_all_it_has(
        self, balancers: OctaviaLoadBalancers, wire: Wire
    ) -> None:
        """A batch repeats whatever it would reset by leaving it out: weight, subnet, backup, monitor address."""
        special = {"subnet_id": "s", "backup": True, "monitor_address": "10.9.9.9", "monitor_port": 9000}
        stands(wire, member(1, weight=7, **special), member(2, weight=0))

        balancers.set_condition("listener", ["m1", "m2"], Condition.DISABLED)

        assert batch(wire) == [
            {"address": "10.0.0.1", "protocol_port": 8000, "weight": 7, "admin_state_up": False, **special},
            {"address": "10.0.0.2", "protocol_port": 8000, "weight": 0, "admin_state_up": False, "backup": False},
        ]

    @pytest.mark.parametrize(
        ("condition", "before", "after"),
        [
            (Condition.DRAINING, (3, True), (0, True)),
            (Condition.DRAINING, (3, False), (0, True)),
            (Condition.DISABLED, (3, True), (3, False)),
            (Condition.ENABLED, (0, True), (1, True)),
            (Condition.ENABLED, (3, False), (3, True)),
        ],
    )
    def test_a_condition_is_a_weight_and_an_admin_state(
        self,
        balancers: OctaviaLoadBalancers,
        wire: Wire,
        condition: Condition,
        before: tuple[int, bool],
        after: tuple[int, bool],
    ) -> None:
        """Draining is weight 0, disabled is administratively down; enabled again is both undone."""
        weight, up = before
        stands(wire, member(1, weight=weight, admin_state_up=up))

        balancers.set_condition("listener", ["m1"], condition)

        (sent,) = batch(wire)
        assert (sent["weight"], sent["admin_state_up"]) == after

    def test_one_that_is_there_is_a_conflict(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A batch would change a member that is there without a word: it is found out before, and none is added."""
        with pytest.raises(Conflict, match=r"10\.0\.0\.1 port 8000 is a node already"):
            balancers.add_nodes("listener", ["10.0.0.9", "10.0.0.1"], 8000)

        assert wire.received("PUT") == []

    def test_the_same_address_on_another_port_is_another_node(
        self, balancers: OctaviaLoadBalancers, wire: Wire
    ) -> None:
        """Address and port together are what must be unique."""
        balancers.add_nodes("listener", ["10.0.0.1"], 9000)

        assert [each["protocol_port"] for each in batch(wire)] == [9000]

    def test_a_node_that_is_not_there_cannot_be_set(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A batch with a member that is gone would make it anew: nothing is sent."""
        with pytest.raises(NotFound, match="it has no node m7"):
            balancers.set_condition("listener", ["m1", "m7"], Condition.DRAINING)

        assert wire.received("PUT") == []


class TestOneByOne:
    """Where a batch would delete, and for removals, members are changed one after the other."""

    def test_trap_32_without_additive_batches_none_is_sent(self, old: OctaviaLoadBalancers, wire: Wire) -> None:
        """On an API older than v2.11 members are added and changed one by one."""
        wire.on("POST", ALL_MEMBERS, Reply(status=201, body={"member": member(8)}))
        wire.on("PUT", "/members/m", Reply(body={"member": member(1)}))

        add(old)
        drain(old)

        assert [asked.body["member"]["address"] for asked in wire.received("POST", ALL_MEMBERS)] == [
            "10.0.0.8",
            "10.0.0.9",
        ]
        changes = [(asked.path[-2:], asked.body) for asked in wire.received("PUT")]
        assert changes == [(each, {"member": {"weight": 0, "admin_state_up": True}}) for each in ("m1", "m2")]

    def test_an_endpoint_that_hides_its_versions_gets_no_batches(
        self, balancers: OctaviaLoadBalancers, wire: Wire
    ) -> None:
        """What cannot be known to be additive is not sent."""
        wire.on("GET", "^/octavia/$", Reply(status=404))
        wire.on("PUT", "/members/m", Reply(body={"member": member(1)}))

        drain(balancers)

        assert wire.received("PUT", ALL_MEMBERS) == []

    def test_trap_33_each_change_waits_for_the_lock_of_the_one_before(
        self, balancers: OctaviaLoadBalancers, wire: Wire, clock: VirtualClock
    ) -> None:
        """A change of one member locks the whole load balancer: the next is sent until it is taken."""
        wire.on("DELETE", "/members/m2$", BUSY, BUSY, DELETED)

        remove(balancers)

        assert [asked.path[-2:] for asked in wire.received("DELETE")] == ["m1", "m2", "m2", "m2"]
        assert len(clock.pauses) == 2

    def test_a_part_that_is_never_accepted_has_a_deadline(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A load balancer that stays busy between two parts ends in an error that names the part."""
        wire.on("DELETE", "/members/m2$", BUSY)

        with pytest.raises(TimedOut, match="waited 120 s for load balancer lb to take part 2 of 2"):
            remove(balancers)

    def test_nodes_that_are_gone_are_removed(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """A member that is gone already does not keep the others."""
        wire.on("DELETE", "/members/m1$", NOT_THERE)

        remove(balancers)

        assert len(wire.received("DELETE")) == 2

    def test_nodes_of_no_balancer_are_gone(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """Nodes whose listener is gone are gone."""
        wire.on("GET", "/listeners/listener$", NOT_THERE)

        remove(balancers)

        assert wire.received("DELETE") == []

    def test_nodes_of_a_balancer_that_goes_away_are_gone(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """The members of a load balancer that is being deleted go with it."""
        wire.on("DELETE", "/members/", BUSY)
        shows(wire, "loadbalancers", shared(provisioning_status="PENDING_DELETE"))

        remove(balancers)

        assert len(wire.received("DELETE")) == 1


class TestRefusals:
    """What keeps a change from being made."""

    @pytest.mark.parametrize("change", [add, drain, remove])
    @pytest.mark.parametrize(
        "reply",
        [
            BUSY,
            Reply(status=503, body={"faultstring": "Project busy.  Unable to lock the project.  Please try again."}),
        ],
    )
    def test_trap_33_a_busy_balancer_is_left_to_the_caller(
        self, balancers: OctaviaLoadBalancers, wire: Wire, clock: VirtualClock, change: Change, reply: Reply
    ) -> None:
        """One that is busy at the first try, with whatever pool, is Immutable at once: nothing was changed."""
        wire.on("PUT", ALL_MEMBERS, reply)
        wire.on("DELETE", "/members/", reply)

        with pytest.raises(Immutable):
            change(balancers)

        assert clock.pauses == []

    @pytest.mark.parametrize("change", [add, drain, remove])
    def test_trap_33_a_balancer_in_error_is_not_waited_for(
        self, balancers: OctaviaLoadBalancers, wire: Wire, change: Change
    ) -> None:
        """Busy and broken are the same 409; one in ERROR stops everything, and the error says what mends it."""
        wire.on("PUT", ALL_MEMBERS, BUSY)
        wire.on("DELETE", "/members/", BUSY)
        shows(wire, "loadbalancers", shared(provisioning_status="ERROR"))

        with pytest.raises(Stuck, match=r"(?s)guestbook-live \(lb\) is in provisioning status ERROR.*--cascade lb"):
            change(balancers)

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (Reply(status=409, body={"faultstring": DUPLICATE}), Conflict),
            (Reply(status=403, body={"faultstring": "Quota has been met for resources: Member"}), QuotaExceeded),
            (Reply(status=500), Uncertain),
            (Reply(lost=True), Uncertain),
        ],
    )
    def test_a_refused_addition_says_why(
        self, balancers: OctaviaLoadBalancers, wire: Wire, reply: Reply, error: type[Exception]
    ) -> None:
        """There already, too many and "nobody knows" are different errors, and none is tried again."""
        wire.on("PUT", ALL_MEMBERS, reply)

        with pytest.raises(error, match=r"adding 10\.0\.0\.8, 10\.0\.0\.9 to load balancer listener"):
            add(balancers)

        assert len(wire.received("PUT")) == 1

    def test_a_change_of_a_listener_without_a_pool_is_refused(
        self, balancers: OctaviaLoadBalancers, wire: Wire
    ) -> None:
        """Nodes cannot be added where there is no pool."""
        shows(wire, "listeners", listener(default_pool_id=None))

        with pytest.raises(NotFound, match="has no default pool"):
            add(balancers)

    def test_nothing_to_do_asks_nothing(self, balancers: OctaviaLoadBalancers, wire: Wire) -> None:
        """Empty changes are not sent: an empty batch is no change, but would lock the load balancer."""
        before = len(wire.requests)

        balancers.add_nodes("listener", [], 8000)
        balancers.set_condition("listener", [], Condition.DRAINING)
        balancers.remove_nodes("listener", [])

        assert len(wire.requests) == before
