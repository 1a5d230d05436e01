from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tasks.cloud.faults import Stuck
from tasks.cloud.identity import Access
from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.cloud.patient import Pace
from tasks.cloud.profiles import HealthMonitor
from tasks.errors import Conflict, QuotaExceeded, TimedOut, Uncertain
from tasks.rollout.model import BalancerStatus
from tests.cloud.octavia_wire import (
    BUSY,
    HTTP,
    HTTPS,
    PROFILE,
    listener,
    lists,
    made,
    makes,
    member,
    pool,
    shared,
    shows,
    stands,
    versions,
)
from tests.cloud.problems import problems
from tests.cloud.virtual_clock import VirtualClock
from tests.cloud.wire import Reply, Wire

SUBNET = "22222222-2222-2222-2222-222222222222"

Build = Callable[..., OctaviaLoadBalancers]


@pytest.fixture
def build(access: Access, pace: Pace, wire: Wire) -> Build:
    """Make the load balancer port of an Octavia in which there is nothing yet, and anything can be made."""
    versions(wire, "v2.0", "v2.5", "v2.11")
    stands(wire)
    for plural in ("loadbalancers", "listeners", "pools"):
        lists(wire, plural)
    makes(wire, "loadbalancers", shared(provisioning_status="PENDING_CREATE"))
    makes(wire, "pools", pool())
    makes(wire, "healthmonitors", {"id": "monitor"})
    makes(wire, "listeners", listener(provisioning_status="PENDING_CREATE"))
    profile = replace(PROFILE, vip_subnet=SUBNET)
    return lambda **changes: OctaviaLoadBalancers(access, replace(profile, **changes), pace)


def asked_for(wire: Wire) -> list[str]:
    """Give what was asked to be made, in order."""
    return [asked.path.rsplit("/", maxsplit=1)[-1] for asked in wire.received("POST", "/v2/lbaas/")]


class TestCreation:
    """What is made, and in which order."""

    def test_the_first_listener_brings_everything(self, build: Build, wire: Wire) -> None:
        """Load balancer, pool and monitor are made, and the listener last, so that one that is found is complete."""
        made_listener = build(monitor=HealthMonitor()).create(HTTP, None)

        assert asked_for(wire) == ["loadbalancers", "pools", "healthmonitors", "listeners"]
        assert (made_listener.id, made_listener.name, made_listener.port) == ("listener", HTTP.name, 80)
        assert made_listener.virtual_ips[0].address == "198.51.100.1"

    def test_a_new_listener_is_pending(self, build: Build, wire: Wire) -> None:
        """A creation returns when it is accepted, not when it is done."""
        shows(wire, "loadbalancers", shared(provisioning_status="PENDING_UPDATE"))

        assert build().create(HTTP, None).status is BalancerStatus.PENDING

    def test_the_load_balancer_says_whose_it_is(self, build: Build, wire: Wire) -> None:
        """It is named and tagged after app and environment."""
        build().create(HTTP, None)

        assert made(wire, "loadbalancers") == {
            "name": "guestbook-live",
            "vip_subnet_id": SUBNET,
            "tags": ["app=guestbook", "environment=live"],
        }

    def test_an_api_without_tags_gets_none(self, build: Build, wire: Wire) -> None:
        """Before v2.5 a load balancer with tags would be refused: the mark is in its description."""
        versions(wire, "v2.0", "v2.4")

        build().create(HTTP, None)

        sent = made(wire, "loadbalancers")
        assert "tags" not in sent
        assert sent["description"] == "app=guestbook environment=live"

    def test_one_of_our_name_that_is_not_marked_is_left_alone(self, build: Build, wire: Wire) -> None:
        """A load balancer that somebody made by hand gets no listener of ours; the error says how to hand it over."""
        lists(wire, "loadbalancers", shared(tags=[]))

        with pytest.raises(Conflict, match=r"(?s)has our name, but is not marked.*rename it.*app=guestbook and env"):
            build().create(HTTP, None)
        assert asked_for(wire) == []

    def test_the_parts_belong_together(self, build: Build, wire: Wire) -> None:
        """Pool and listener are on the load balancer, and the listener sends to the pool."""
        build().create(HTTP, None)

        assert made(wire, "pools")["loadbalancer_id"] == "lb"
        sent = made(wire, "listeners")
        assert (sent["loadbalancer_id"], sent["default_pool_id"], sent["protocol_port"]) == ("lb", "pool", 80)

    def test_a_second_listener_shares_the_load_balancer(self, build: Build, wire: Wire) -> None:
        """Port 443 is one more listener with a pool of its own, at the same virtual IP."""
        stands(wire, member(1))
        first = build().show("listener")

        build().create(HTTPS, first)

        assert asked_for(wire) == ["pools", "listeners"]
        assert made(wire, "listeners")["protocol_port"] == 443

    def test_no_monitor_is_made_unless_wanted(self, build: Build, wire: Wire) -> None:
        """A profile without a monitor gets none."""
        build().create(HTTP, None)

        assert "healthmonitors" not in asked_for(wire)


class TestTakingUp:
    """A creation that was cut short is gone on with."""

    @pytest.mark.parametrize(
        ("there", "missing"),
        [
            ({"loadbalancers": shared()}, ["pools", "healthmonitors", "listeners"]),
            ({"loadbalancers": shared(), "pools": pool(listeners=[])}, ["healthmonitors", "listeners"]),
            ({"loadbalancers": shared(), "pools": pool(listeners=[], healthmonitor_id="h")}, ["listeners"]),
        ],
    )
    def test_only_what_is_missing_is_made(
        self, build: Build, wire: Wire, there: dict[str, dict[str, Any]], missing: list[str]
    ) -> None:
        """Whatever an earlier creation has made is used."""
        for plural, body in there.items():
            lists(wire, plural, body)

        build(monitor=HealthMonitor()).create(HTTP, None)

        assert asked_for(wire) == missing

    @pytest.mark.parametrize("other", [{}, {"name": "other", "listeners": []}, {"loadbalancers": [{"id": "lb9"}]}])
    def test_a_pool_of_others_is_not_taken(self, build: Build, wire: Wire, other: dict[str, Any]) -> None:
        """A pool that has a listener, another name or another load balancer is left alone."""
        lists(wire, "loadbalancers", shared())
        lists(wire, "pools", pool(**{"listeners": [{"id": "theirs"}]} | other))

        build().create(HTTP, None)

        assert asked_for(wire) == ["pools", "listeners"]


class TestWaiting:
    """Every part locks the load balancer."""

    def test_trap_33_each_part_waits_for_the_lock_of_the_one_before(
        self, build: Build, wire: Wire, clock: VirtualClock
    ) -> None:
        """A part that finds the load balancer busy is sent until it is taken, and no earlier part again."""
        makes(wire, "pools", pool(), BUSY, BUSY)
        makes(wire, "listeners", listener(), BUSY)

        build().create(HTTP, None)

        assert asked_for(wire) == ["loadbalancers", "pools", "pools", "pools", "listeners", "listeners"]
        assert len(clock.pauses) == 3

    def test_a_busy_project_is_asked_again(self, build: Build, wire: Wire, clock: VirtualClock) -> None:
        """When Octavia cannot lock the project's quota, nothing was made, and the load balancer is asked for again."""
        said = "Project busy.  Unable to lock the project.  Please try again."
        makes(wire, "loadbalancers", shared(), Reply(status=503, body={"faultstring": said}))

        build().create(HTTP, None)

        assert asked_for(wire) == ["loadbalancers", "loadbalancers", "pools", "listeners"]
        assert len(clock.pauses) == 1

    def test_trap_33_a_load_balancer_in_error_is_not_waited_for(
        self, build: Build, wire: Wire, clock: VirtualClock
    ) -> None:
        """A load balancer that could not be built never becomes ACTIVE by waiting."""
        wire.on("POST", "/pools$", BUSY)
        shows(wire, "loadbalancers", shared(provisioning_status="ERROR"))

        with pytest.raises(Stuck, match=r"creating load balancer guestbook-live-http on port 80: .*status ERROR"):
            build().create(HTTP, None)

        assert clock.pauses == []

    def test_a_load_balancer_that_is_never_built_has_a_deadline(self, build: Build, wire: Wire) -> None:
        """A build that hangs ends in an error that says what was waited for."""
        wire.on("POST", "/pools$", BUSY)

        with pytest.raises(TimedOut, match="waited 900 s for one of the pools of guestbook-live to be accepted"):
            build().create(HTTP, None)

    @pytest.mark.parametrize(
        ("plural", "reply", "error"),
        [
            ("loadbalancers", Reply(lost=True), Uncertain),
            ("loadbalancers", Reply(status=403, body={"faultstring": "Quota has been met."}), QuotaExceeded),
            (
                "listeners",
                Reply(
                    status=409,
                    body={"faultstring": "Another Listener on this Load Balancer is already using protocol_port 80"},
                ),
                Conflict,
            ),
        ],
    )
    def test_a_refused_part_says_why(
        self, build: Build, wire: Wire, plural: str, reply: Reply, error: type[Exception]
    ) -> None:
        """A lost answer, a quota and a port that is taken are different errors, and none is tried again."""
        wire.on("POST", f"/{plural}$", reply)

        with pytest.raises(error, match="creating load balancer guestbook-live-http on port 80"):
            build().create(HTTP, None)

        assert asked_for(wire).count(plural) == 1


class TestProblems:
    """What is said before the first server exists."""

    def test_good_news_is_empty(self, build: Build) -> None:
        """Where everything can be made there is no problem."""
        assert problems(build().findings([HTTP, HTTPS])) == []

    def test_a_subnet_that_is_not_there_is_a_problem(self, build: Build, wire: Wire) -> None:
        """Mistyped subnets of the virtual IP and of the members are both said."""
        listed = {"subnets": [{"id": SUBNET, "name": "front", "ip_version": 4, "cidr": "10.0.0.0/24"}]}
        wire.on("GET", "/subnets", Reply(body=listed))
        wire.on("GET", "/subnets/", Reply(status=404))

        found = problems(build(vip_subnet="frnt", member_subnet="bakc").findings([HTTP]))
        assert [problem.split(";")[0] for problem in found] == [
            "there is no subnet 'bakc'",
            "there is no subnet 'frnt'",
        ]

    def test_a_load_balancer_in_error_is_a_problem(self, build: Build, wire: Wire) -> None:
        """A listener cannot be added to a load balancer in ERROR, and the problem says so in one line."""
        lists(wire, "loadbalancers", shared(provisioning_status="ERROR"))
        shows(wire, "loadbalancers", shared(provisioning_status="ERROR"))

        (problem,) = problems(build().findings([HTTP]))
        assert "guestbook-live (lb) is in provisioning status ERROR; waiting does not help" in problem

    def test_what_is_there_need_not_be_made(self, build: Build, wire: Wire) -> None:
        """When all listeners are there, the state of the load balancer is for those to say who ask for it."""
        stands(wire, provisioning_status="ERROR")

        assert problems(build().findings([HTTP])) == []
