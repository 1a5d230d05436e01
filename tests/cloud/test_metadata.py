"""Metadata items of servers: one by one, beside the labels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.errors import CloudError, NotFound, QuotaExceeded
from tasks.rollout.claims import Claim
from tests.cloud.compute_wire import LABELS, REQUEST, Build, pages, server
from tests.cloud.wire import Reply, Wire

CLAIM = Claim(
    id="a1",
    number=3,
    verb="deploy",
    generation="8",
    owner="ann@laptop",
    process="77",
    since=datetime(2026, 11, 23, 5, 0, tzinfo=UTC),
    beat=datetime(2026, 11, 23, 5, 1, tzinfo=UTC),
)


class TestWriting:
    """What is noted and erased."""

    def test_one_item_is_noted(self, build: Build, wire: Wire) -> None:
        """An item is written alone; labels that are written later leave it as it is, since they do not hold it."""
        wire.on("POST", "/servers/server-1/metadata$", Reply(body={"metadata": {}}))
        noted = server(metadata=LABELS.to_metadata() | {"host_key": "ssh-ed25519 AAAA"})
        wire.on("GET", "/servers/server-1$", Reply(body={"server": noted}))
        compute = build()
        seen = compute.server("server-1")

        compute.note("server-1", "host_key", "ssh-ed25519 BBBB")
        compute.label(seen)

        bodies = [written.body["metadata"] for written in wire.received("POST", "/metadata$")]
        assert bodies == [{"host_key": "ssh-ed25519 BBBB"}, LABELS.to_metadata()]
        assert seen.labels.host_key == "ssh-ed25519 AAAA"

    def test_a_server_that_is_gone_takes_no_note(self, build: Build) -> None:
        """Whoever writes on a server learns that it is gone."""
        with pytest.raises(NotFound, match="noting claim-a1 of server server-1"):
            build().note("server-1", "claim-a1", "x")

    def test_too_many_items_are_an_error_of_their_own(self, build: Build, wire: Wire) -> None:
        """A server that has as many items as it may have is told from one that refuses for another reason."""
        body = {"forbidden": {"code": 403, "message": "Maximum number of metadata items exceeds 40"}}
        wire.on("POST", "/metadata$", Reply(status=403, body=body))

        with pytest.raises(QuotaExceeded, match="Maximum number of metadata items"):
            build().note("server-1", "claim-a1", "x")

    def test_one_item_is_erased(self, build: Build, wire: Wire) -> None:
        """An item is deleted by its name, whatever characters that has."""
        wire.on("DELETE", "/servers/server-1/metadata/", Reply(status=204))

        build().erase("server-1", "claim-a 1")

        assert [asked.path.split("/")[-1] for asked in wire.received("DELETE")] == ["claim-a%201"]

    def test_what_is_gone_is_erased(self, build: Build, wire: Wire) -> None:
        """Neither an item nor a server that is gone already is an error."""
        build().erase("server-1", "claim-a1")

        assert len(wire.received("DELETE", "/metadata/claim-a1$")) == 1


class TestLength:
    """Nova keeps 255 characters of a value."""

    def test_the_longest_is_sent(self, build: Build, wire: Wire) -> None:
        """255 characters are not too many, and it is characters that count."""
        wire.on("POST", "/metadata$", Reply(body={"metadata": {}}))

        build().note("server-1", "n", "é" * 255)

        assert wire.received("POST", "/metadata$")[0].body == {"metadata": {"n": "é" * 255}}

    def test_a_longer_one_is_refused_before_it_is_sent(self, build: Build, wire: Wire) -> None:
        """What Nova would refuse is an error that names item and length; nothing is asked."""
        wire.on("GET", "/servers/server-1$", Reply(body={"server": server()}))
        compute = build()
        labels = replace(LABELS, release="r" * 256)
        long = replace(compute.server("server-1"), labels=labels)

        for write in (
            lambda: compute.note("server-1", "release", "r" * 256),
            lambda: compute.label(long),
            lambda: compute.create(replace(REQUEST, labels=labels)),
        ):
            with pytest.raises(CloudError, match="item 'release' has 256 characters, and Nova keeps 255"):
                write()
        assert wire.received("POST", "/(metadata|servers)$") == []


class TestClaims:
    """What operators have written to each other."""

    def test_claims_are_read_with_their_server(self, build: Build, wire: Wire) -> None:
        """A server brings the claims among its metadata; what only looks like one is left out."""
        items = {CLAIM.item: CLAIM.to_value(), "claim-b2": "?", "claimant": "me"}
        pages(wire, [server(metadata=LABELS.to_metadata() | items), server(id="server-2")])

        assert [found.claims for found in build().servers()] == [(CLAIM,), ()]
