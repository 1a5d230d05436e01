from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.cloud.faults import Stuck
from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.errors import Conflict, Immutable, NotFound, QuotaExceeded, TimedOut, Uncertain
from tasks.rollout.model import Condition
from tests.cloud.octavia_wire import (
    ALL_MEMBERS,
    BUSY,
    DELETED,
    NOT_THERE,
    add,
    drain,
    listener,
    member,
    remove,
    shared,
    shows,
    versions,
)
from tests.cloud.virtual_clock import VirtualClock
from tests.cloud.wire import Reply, Wire

DUPLICATE = "Another member on this pool is already using ip 10.0.0.1 on protocol_port 8000"

Change = Callable[[OctaviaLoadBalancers], None]


@pytest.fixture
def old(octavia: OctaviaLoadBalancers, wire: Wire) -> OctaviaLoadBalancers:
    """Make the load balancer port of an Octavia whose batches would delete what they do not name."""
    versions(wire, "v2.0", "v2.10")
    return octavia


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
        self, octavia: OctaviaLoadBalancers, wire: Wire
    ) -> None:
        """What cannot be known to be additive is not sent."""
        wire.on("GET", "^/octavia/$", Reply(status=404))
        wire.on("PUT", "/members/m", Reply(body={"member": member(1)}))

        drain(octavia)

        assert wire.received("PUT", ALL_MEMBERS) == []

    def test_trap_33_each_change_waits_for_the_lock_of_the_one_before(
        self, octavia: OctaviaLoadBalancers, wire: Wire, clock: VirtualClock
    ) -> None:
        """A change of one member locks the whole load balancer: the next is sent until it is taken."""
        wire.on("DELETE", "/members/m2$", BUSY, BUSY, DELETED)

        remove(octavia)

        assert [asked.path[-2:] for asked in wire.received("DELETE")] == ["m1", "m2", "m2", "m2"]
        assert len(clock.pauses) == 2

    def test_a_part_that_is_never_accepted_has_a_deadline(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """A load balancer that stays busy between two parts ends in an error that names the part."""
        wire.on("DELETE", "/members/m2$", BUSY)

        with pytest.raises(TimedOut, match="waited 120 s for load balancer lb to take part 2 of 2"):
            remove(octavia)

    def test_nodes_that_are_gone_are_removed(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """A member that is gone already does not keep the others."""
        wire.on("DELETE", "/members/m1$", NOT_THERE)

        remove(octavia)

        assert len(wire.received("DELETE")) == 2

    def test_nodes_of_no_balancer_are_gone(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """Nodes whose listener is gone are gone."""
        wire.on("GET", "/listeners/listener$", NOT_THERE)

        remove(octavia)

        assert wire.received("DELETE") == []

    def test_nodes_of_a_balancer_that_goes_away_are_gone(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """The members of a load balancer that is being deleted go with it."""
        wire.on("DELETE", "/members/", BUSY)
        shows(wire, "loadbalancers", shared(provisioning_status="PENDING_DELETE"))

        remove(octavia)

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
        self, octavia: OctaviaLoadBalancers, wire: Wire, clock: VirtualClock, change: Change, reply: Reply
    ) -> None:
        """One that is busy at the first try, with whatever pool, is Immutable at once: nothing was changed."""
        wire.on("PUT", ALL_MEMBERS, reply)
        wire.on("DELETE", "/members/", reply)

        with pytest.raises(Immutable):
            change(octavia)

        assert clock.pauses == []

    @pytest.mark.parametrize("change", [add, drain, remove])
    def test_trap_33_a_balancer_in_error_is_not_waited_for(
        self, octavia: OctaviaLoadBalancers, wire: Wire, change: Change
    ) -> None:
        """Busy and broken are the same 409; one in ERROR stops everything, and the error says what mends it."""
        wire.on("PUT", ALL_MEMBERS, BUSY)
        wire.on("DELETE", "/members/", BUSY)
        shows(wire, "loadbalancers", shared(provisioning_status="ERROR"))

        with pytest.raises(Stuck, match=r"(?s)guestbook-live \(lb\) is in provisioning status ERROR.*--cascade lb"):
            change(octavia)

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
        self, octavia: OctaviaLoadBalancers, wire: Wire, reply: Reply, error: type[Exception]
    ) -> None:
        """There already, too many and "nobody knows" are different errors, and none is tried again."""
        wire.on("PUT", ALL_MEMBERS, reply)

        with pytest.raises(error, match=r"adding 10\.0\.0\.8, 10\.0\.0\.9 to load balancer listener"):
            add(octavia)

        assert len(wire.received("PUT")) == 1

    def test_a_change_of_a_listener_without_a_pool_is_refused(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """Nodes cannot be added where there is no pool."""
        shows(wire, "listeners", listener(default_pool_id=None))

        with pytest.raises(NotFound, match="has no default pool"):
            add(octavia)

    def test_nothing_to_do_asks_nothing(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """Empty changes are not sent: an empty batch is no change, but would lock the load balancer."""
        before = len(wire.requests)

        octavia.add_nodes("listener", {}, 8000)
        octavia.set_condition("listener", [], Condition.DRAINING)
        octavia.remove_nodes("listener", [])

        assert len(wire.requests) == before
