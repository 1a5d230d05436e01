from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.cloud.identity import Access
from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.errors import Conflict, NotFound
from tasks.rollout.model import Condition
from tests.cloud.octavia_wire import (
    ALL_MEMBERS,
    NAMES,
    PROFILE,
    add,
    drain,
    member,
    stands,
)
from tests.cloud.wire import Wire


def batch(wire: Wire) -> list[dict[str, Any]]:
    """Give the members of the only batch that was sent."""
    (asked,) = wire.received("PUT", ALL_MEMBERS)
    assert asked.query == {"additive_only": ["true"]}
    return list(asked.body["members"])


class TestBatches:
    """From API version v2.11 on, many members are one change."""

    def test_all_members_are_added_in_one_change(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """Members are added together, named after their servers and taking requests at once."""
        add(octavia)

        enabled = {"protocol_port": 8000, "weight": 1, "admin_state_up": True}
        assert batch(wire) == [{"address": address, "name": name, **enabled} for address, name in NAMES.items()]

    def test_members_may_have_a_subnet(self, access: Access, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """Members on another subnet than the virtual IP say so."""
        subnet = "22222222-2222-2222-2222-222222222222"

        add(OctaviaLoadBalancers(access, replace(PROFILE, member_subnet=subnet)))

        assert {each["subnet_id"] for each in batch(wire)} == {subnet}

    def test_trap_32_a_batch_never_deletes(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """Every batch says additive_only, without which members that it does not name are deleted."""
        add(octavia)
        drain(octavia)

        assert [asked.query for asked in wire.received("PUT")] == [{"additive_only": ["true"]}] * 2

    def test_trap_32_draining_members_stay_so_when_others_are_added(
        self, octavia: OctaviaLoadBalancers, wire: Wire
    ) -> None:
        """A batch that adds names nobody who is there, so that a draining member keeps its weight of 0."""
        stands(wire, member(1, weight=0))

        add(octavia)

        assert [each["address"] for each in batch(wire)] == ["10.0.0.8", "10.0.0.9"]

    def test_trap_32_a_member_is_listed_again_with_all_it_has(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """A batch repeats whatever it would reset by leaving it out: weight, subnet, backup, monitor address."""
        special = {"subnet_id": "s", "backup": True, "monitor_address": "10.9.9.9", "monitor_port": 9000}
        stands(wire, member(1, weight=7, **special), member(2, weight=0))

        octavia.set_condition("listener", ["m1", "m2"], Condition.DISABLED)

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
    def test_trap_11_draining_is_a_weight_and_disabled_an_admin_state(
        self,
        octavia: OctaviaLoadBalancers,
        wire: Wire,
        condition: Condition,
        before: tuple[int, bool],
        after: tuple[int, bool],
    ) -> None:
        """Draining is weight 0 and cuts nobody off; only disabled is administratively down; enabled is both undone."""
        weight, up = before
        stands(wire, member(1, weight=weight, admin_state_up=up))

        octavia.set_condition("listener", ["m1"], condition)

        (sent,) = batch(wire)
        assert (sent["weight"], sent["admin_state_up"]) == after

    def test_one_that_is_there_is_a_conflict(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """A batch would change a member that is there without a word: it is found out before, and none is added."""
        with pytest.raises(Conflict, match=r"10\.0\.0\.1 port 8000 is a node already"):
            octavia.add_nodes("listener", {"10.0.0.9": "a", "10.0.0.1": "b"}, 8000)

        assert wire.received("PUT") == []

    def test_the_same_address_on_another_port_is_another_node(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """Address and port together are what must be unique."""
        octavia.add_nodes("listener", {"10.0.0.1": "a"}, 9000)

        assert [each["protocol_port"] for each in batch(wire)] == [9000]

    def test_a_node_that_is_not_there_cannot_be_set(self, octavia: OctaviaLoadBalancers, wire: Wire) -> None:
        """A batch with a member that is gone would make it anew: nothing is sent."""
        with pytest.raises(NotFound, match="it has no node m7"):
            octavia.set_condition("listener", ["m1", "m7"], Condition.DRAINING)

        assert wire.received("PUT") == []
