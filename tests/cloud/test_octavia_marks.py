"""Whose a load balancer is, and whose nodes it has, as Octavia's tags and names say it."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.cloud.faults import Stuck
from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.errors import Conflict, Immutable
from tests.cloud.octavia_wire import (
    ACCEPTED,
    BUSY,
    HTTP,
    HTTPS,
    NAMES,
    add,
    lists,
    member,
    shared,
    shows,
    stands,
    versions,
)
from tests.cloud.problems import problems
from tests.cloud.wire import Reply, Wire

TAGS = ["app=guestbook", "environment=live"]
LB = "/loadbalancers/lb$"


def changes(wire: Wire) -> list[Any]:
    """Give what the load balancer was asked to be changed to, each time."""
    return [asked.body["loadbalancer"] for asked in wire.received("PUT", LB)]


class TestMark:
    """Whose a load balancer is."""

    @pytest.mark.parametrize(
        ("words", "ours"),
        [
            ({"tags": TAGS}, True),
            ({"tags": ["color=blue", *TAGS]}, True),
            ({"tags": [], "description": "our site app=guestbook environment=live"}, True),
            ({"tags": []}, False),
            ({"tags": None, "description": None}, False),
            ({"tags": TAGS[:1]}, False),
            ({"tags": ["app=guestbook", "environment=test"]}, False),
            ({"tags": [], "description": "myapp=guestbook environment=live"}, False),
        ],
    )
    def test_only_both_words_make_it_ours(
        self, octavia: OctaviaLoadBalancers, wire: Wire, words: dict[str, Any], ours: bool
    ) -> None:
        """App and environment must both be there, as tags or, where there are none, in the description."""
        shows(wire, "loadbalancers", shared(**words))

        assert octavia.is_ours("listener") is ours

    def test_a_mark_is_added_to_the_tags_that_there_are(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """A change of tags replaces them all, so those of the owner are sent again."""
        versions(wire, "v2.0", "v2.5")
        wire.on("PUT", LB, ACCEPTED)
        shows(wire, "loadbalancers", shared(tags=["color=blue", "app=guestbook"]))

        octavia.adopt("listener")

        assert changes(wire) == [{"tags": ["color=blue", "app=guestbook", "environment=live"]}]

    @pytest.mark.parametrize("before", ["", None, "our site"])
    def test_before_there_were_tags_the_description_is_marked(
        self, octavia: OctaviaLoadBalancers, wire: Wire, before: str | None
    ) -> None:
        """An API older than v2.5 has no tags: the mark follows what the description says."""
        versions(wire, "v2.0", "v2.4")
        wire.on("PUT", LB, ACCEPTED)
        old = shared(description=before)
        del old["tags"]
        shows(wire, "loadbalancers", old)

        octavia.adopt("listener")

        [change] = changes(wire)
        assert list(change) == ["description"]
        assert change["description"].split() == [*(before or "").split(), *TAGS]

    def test_one_that_is_marked_is_left_as_it_is(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """A second listener on the same load balancer needs no second change."""
        octavia.adopt("listener")

        assert changes(wire) == []

    @pytest.mark.parametrize("theirs", [{"tags": ["app=other"]}, {"tags": TAGS, "description": "x environment=test"}])
    def test_anothers_is_not_taken_over(
        self, octavia: OctaviaLoadBalancers, wire: Wire, theirs: dict[str, Any]
    ) -> None:
        """One that another app or environment has marked stays theirs; the error says whose it is."""
        shows(wire, "loadbalancers", shared(**theirs))

        with pytest.raises(
            Conflict, match=r"marking load balancer listener: .* is marked as another's: .*(other|test)"
        ):
            octavia.adopt("listener")
        assert changes(wire) == []

    @pytest.mark.parametrize(("status", "error"), [("PENDING_UPDATE", Immutable), ("ERROR", Stuck)])
    def test_trap_33_one_that_takes_no_changes_takes_no_mark(
        self, octavia: OctaviaLoadBalancers, wire: Wire, status: str, error: type[Exception]
    ) -> None:
        """To mark it is a change like any other: busy is left to the caller, broken is no use to wait for."""
        wire.on("PUT", LB, BUSY)
        shows(wire, "loadbalancers", shared(tags=[], provisioning_status=status))

        with pytest.raises(error):
            octavia.adopt("listener")

    def test_one_of_our_name_that_is_not_marked_is_a_problem(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """Where a listener is to be made on somebody else's load balancer, preflight says so."""
        lists(wire, "loadbalancers", shared(tags=[]))
        lists(wire, "listeners")

        [problem] = problems(octavia.findings([HTTP]))
        assert problem.startswith(
            "load balancer guestbook-live (lb) has our name, but is not marked as ours; rename it"
        )

    def test_one_that_is_found_is_the_rollouts_to_judge(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """A load balancer with a listener of ours is found, marked or not, and may be adopted."""
        lists(wire, "loadbalancers", shared(tags=[]))

        assert problems(octavia.findings([HTTP, HTTPS])) == []
        assert [found.id for found in octavia.find([HTTP])] == ["listener"]


class TestOwners:
    """Whose nodes there are."""

    def test_members_are_named_after_their_servers(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """The names go with the members, so that nothing can come between."""
        add(octavia)

        (batch,) = wire.received("PUT", "/members$")
        assert {each["address"]: each["name"] for each in batch.body["members"]} == NAMES

    def test_one_by_one_they_are_named_too(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """An old API without batches takes the same names."""
        versions(wire, "v2.0")
        wire.on("POST", "/members$", Reply(status=201, body={"member": member(8)}))

        add(octavia)

        sent = [asked.body["member"] for asked in wire.received("POST", "/members$")]
        assert {each["address"]: each["name"] for each in sent} == NAMES

    def test_names_are_read_by_address(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """Members without a name, or with one that we would never give, are somebody else's."""
        stands(
            wire,
            member(1, name="guestbook-live-7-0"),
            member(2, name=""),
            member(3, name="by hand"),
            member(4, name="guestbook-livestream-7-0"),
            member(5),
        )

        assert octavia.owners("listener") == {"10.0.0.1": "guestbook-live-7-0"}
