"""Whose a load balancer is, and whose nodes it has, as the metadata of Cloud Load Balancers says it."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.identity import Access
from tasks.cloud.node_records import written
from tasks.cloud.patient import Pace
from tasks.errors import Conflict, Immutable, QuotaExceeded
from tests.cloud.clb_wire import METADATA, PENDING, PROFILE, node, shown
from tests.cloud.wire import Reply, Wire

MARK = {"app": "guestbook", "environment": "live"}
NAMES = {"10.0.0.8": "guestbook-live-8-0", "10.0.0.9": "guestbook-live-8-1"}
OLD = {"10.0.0.1": "guestbook-live-7-0"}
FULL = Reply(status=400, body={"message": "Metadata must not exceed 25 per load balancer.", "code": 400})
TWICE = Reply(status=422, body={"message": "Duplicate metadata keys detected. One or more", "code": 422})
TAKEN = Reply(body={"metadata": []})


@pytest.fixture
def balancers(access: Access, pace: Pace, wire: Wire) -> CloudLoadBalancers:
    """Make the load balancer port of a cloud that takes metadata and nodes."""
    wire.on("POST", METADATA, TAKEN)
    wire.on("DELETE", METADATA, Reply(status=200))
    wire.on("POST", "/nodes$", Reply(status=202, body={"nodes": []}))
    return CloudLoadBalancers(access, PROFILE, pace)


def says(wire: Wire, items: dict[str, str]) -> None:
    """Answer for the metadata; ids are counted, and the newest is first."""
    bodies = [{"id": str(n), "key": key, "value": value} for n, (key, value) in enumerate(items.items(), start=1)]
    wire.on("GET", METADATA, Reply(body={"metadata": bodies[::-1]}))


def written_items(wire: Wire) -> list[dict[str, str]]:
    """Give the items of every request that added some."""
    return [
        {item["key"]: item["value"] for item in asked.body["metadata"]} for asked in wire.received("POST", METADATA)
    ]


class TestMark:
    """Whose a load balancer is."""

    @pytest.mark.parametrize(
        ("items", "ours"),
        [
            (MARK, True),
            (MARK | {"color": "blue"}, True),
            ({}, False),
            ({"app": "guestbook"}, False),
            (MARK | {"app": "other"}, False),
            (MARK | {"environment": "test"}, False),
        ],
    )
    def test_only_both_items_make_it_ours(
        self, balancers: CloudLoadBalancers, wire: Wire, items: dict[str, str], ours: bool
    ) -> None:
        """App and environment must both be there, whatever else is."""
        says(wire, items)

        assert balancers.is_ours("7") is ours

    @pytest.mark.parametrize(
        ("items", "added"),
        [
            ({}, [MARK]),
            ({"color": "blue"}, [MARK]),
            ({"app": "guestbook"}, [{"environment": "live"}]),
            (MARK, []),
        ],
    )
    def test_what_is_missing_is_added(
        self, balancers: CloudLoadBalancers, wire: Wire, items: dict[str, str], added: list[dict[str, str]]
    ) -> None:
        """One made by hand is marked in one request; one that is marked is left as it is."""
        says(wire, items)

        balancers.adopt("7")

        assert written_items(wire) == added

    @pytest.mark.parametrize("theirs", [{"app": "other"}, MARK | {"environment": "test"}])
    def test_anothers_is_not_taken_over(
        self, balancers: CloudLoadBalancers, wire: Wire, theirs: dict[str, str]
    ) -> None:
        """One that another app or environment has marked stays theirs; the error says whose it is."""
        says(wire, theirs)

        with pytest.raises(Conflict, match=r"marking load balancer 7: it is marked as another's: .*(other|test)"):
            balancers.adopt("7")
        assert written_items(wire) == []

    def test_a_busy_one_is_left_to_the_caller(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """Metadata, too, is only taken by a load balancer that is ACTIVE (CLB docs, add metadata: 422)."""
        says(wire, {})
        wire.on("POST", METADATA, PENDING)

        with pytest.raises(Immutable):
            balancers.adopt("7")

    def test_one_without_room_is_an_error(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """A load balancer with 25 items of its owner cannot be marked."""
        says(wire, {})
        wire.on("POST", METADATA, FULL)

        with pytest.raises(QuotaExceeded, match="Metadata must not exceed 25"):
            balancers.adopt("7")


class TestRecord:
    """Whose nodes a load balancer has."""

    def test_names_are_recorded_before_nodes_are_added(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """One more request says for which servers; it goes first, as a load balancer that is busy takes no metadata."""
        before = len(wire.requests)

        balancers.add_nodes("7", NAMES, 8000)

        assert written_items(wire) == [written(NAMES)]
        assert [asked.path.rsplit("/", 1)[-1] for asked in wire.requests[before:]] == ["metadata", "nodes"]

    def test_a_node_without_a_name_is_added_and_not_recorded(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """Where it is not known which server is at an address, nothing is said of it."""
        balancers.add_nodes("7", {"10.0.0.7": "", **NAMES}, 8000)
        balancers.add_nodes("7", {"10.0.0.6": ""}, 8000)

        assert written_items(wire) == [written(NAMES)]
        added = [[each["address"] for each in asked.body["nodes"]] for asked in wire.received("POST", "/nodes$")]
        assert added == [["10.0.0.7", *NAMES], ["10.0.0.6"]]

    def test_a_busy_one_gets_neither_record_nor_nodes(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """When the load balancer is busy, nothing is sent but what told so."""
        wire.on("POST", METADATA, PENDING)

        with pytest.raises(Immutable, match=r"adding 10\.0\.0\.8, 10\.0\.0\.9"):
            balancers.add_nodes("7", NAMES, 8000)
        assert wire.received("POST", "/nodes$") == []

    def test_what_is_recorded_is_not_recorded_twice(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """When the same nodes are added again, after a refusal or a rollback, their record is there already."""
        says(wire, MARK | written(NAMES))
        wire.on("POST", METADATA, TWICE)

        balancers.add_nodes("7", NAMES, 8000)

        assert len(wire.received("POST", METADATA)) == 1
        assert len(wire.received("POST", "/nodes$")) == 1
        assert wire.received("DELETE") == []

    def test_of_a_record_of_many_parts_the_missing_are_added(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """When one of several items is there, the service refuses all; the others are sent again without it."""
        many = {f"10.0.0.{n}": f"guestbook-live-8-{n}" for n in range(25)}
        (first, value), *others = written(many).items()
        says(wire, {first: value})
        wire.on("POST", METADATA, TWICE, TAKEN)

        balancers.add_nodes("7", many, 8000)

        assert written_items(wire)[-1] == dict(others)

    def test_when_it_is_full_those_of_no_nodes_are_dropped(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """Records of which no address is a node any more make room, ten in a request; all other items stay."""
        gone = {f"10.9.9.{n}": f"guestbook-live-{n}-0" for n in range(12)}
        records = [written({address: name}) for address, name in gone.items()]
        items = {key: value for record in records for key, value in record.items()}
        says(wire, MARK | items | written(OLD) | {"color": "blue"})
        shown(wire, nodes=[node(1)])
        wire.on("POST", METADATA, FULL, TAKEN)

        balancers.add_nodes("7", NAMES, 8000)

        dropped = [asked.query["id"] for asked in wire.received("DELETE", METADATA)]
        assert dropped == [[str(n) for n in range(3, 13)], ["13", "14"]]
        assert written_items(wire)[-1] == written(NAMES)

    def test_full_though_all_is_recorded_drops_nothing(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """The service counts before it looks for what is there twice; then nothing has to go."""
        says(wire, MARK | written({"10.9.9.9": "guestbook-live-1-0"}) | written(NAMES))
        wire.on("POST", METADATA, FULL)

        balancers.add_nodes("7", NAMES, 8000)

        assert wire.received("DELETE") == []
        assert len(wire.received("POST", METADATA)) == 1

    @pytest.mark.parametrize("reply", [FULL, Reply(status=500), Reply(lost=True), Reply(status=404)])
    def test_without_a_record_nodes_are_added_all_the_same(
        self, balancers: CloudLoadBalancers, wire: Wire, said: list[str], reply: Reply
    ) -> None:
        """What only clean-up reads never keeps a site from being deployed; that it is missing is said."""
        says(wire, MARK)
        shown(wire)
        wire.on("POST", METADATA, reply)

        balancers.add_nodes("7", NAMES, 8000)

        assert len(wire.received("POST", "/nodes$")) == 1
        assert "`fab reap` will not know these nodes as ours" in said[-1]


class TestOwners:
    """Whose nodes there are, then or now."""

    def test_names_are_read_by_address(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """All that was recorded is given, and items that are no records are not."""
        says(wire, MARK | {"nodes-by-hand": "10.0.0.7"} | written(OLD) | written(NAMES))

        assert balancers.owners("7") == OLD | NAMES

    def test_the_newest_server_at_an_address_counts(self, balancers: CloudLoadBalancers, wire: Wire) -> None:
        """An address that is given out again belongs to whom it was given last, in whatever order items are listed."""
        says(wire, written({"10.0.0.8": "guestbook-live-1-0"}) | written(NAMES))

        assert balancers.owners("7") == NAMES

    @pytest.mark.parametrize("items", [{}, MARK])
    def test_without_records_nobody_is_known(
        self, balancers: CloudLoadBalancers, wire: Wire, items: dict[str, Any]
    ) -> None:
        """A load balancer that we have never added nodes to says nothing of servers."""
        says(wire, items)

        assert balancers.owners("7") == {}
