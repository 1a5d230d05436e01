"""Addresses and left-overs: what the account has beside our servers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.cloud.keypairs import name_for
from tasks.errors import Conflict
from tasks.rollout.model import Spare
from tests.cloud.compute_wire import ED25519, NEXT, OTHER_KEY, PROFILE, Build, absolute, pages, server
from tests.cloud.wire import Reply, Wire

OURS = {"app": "guestbook", "environment": "live"}


def named(public_key: str, **changes: str) -> str:
    """Give the name under which a key is imported."""
    return name_for(replace(PROFILE, public_key=public_key, **changes))


def there(wire: Wire, keypairs: dict[str, str], *images: dict[str, Any]) -> None:
    """Answer the lists of keypairs, by name, and of images."""
    listed = [{"keypair": {"name": name, "public_key": key}} for name, key in keypairs.items()]
    wire.on("GET", "/os-keypairs$", Reply(body={"keypairs": listed}))
    wire.on("GET", "/images/detail$", Reply(body={"images": list(images)}))


def image(**changes: Any) -> dict[str, Any]:
    """Write an image of ours as Nova shows it."""
    return {"id": "baked-1", "name": "guestbook r1", "status": "ACTIVE", "metadata": OURS} | changes


class TestKeypairs:
    """Which keypairs nobody needs."""

    def test_one_that_no_server_uses_is_a_spare(self, build: Build, wire: Wire) -> None:
        """A keypair of an operator who deploys no more is listed, with the time at which it was made."""
        old = named(OTHER_KEY)
        there(wire, {old: OTHER_KEY})
        shown = {"keypair": {"name": old, "created_at": "2026-01-02T03:04:05.000000"}}
        wire.on("GET", f"/os-keypairs/{old}$", Reply(body=shown))
        pages(wire, [server()])

        expected = Spare(kind="keypair", id=old, name=old, created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        assert build(public_key=ED25519).spares() == (expected,)

    def test_a_cloud_that_does_not_tell_when(self, build: Build, wire: Wire) -> None:
        """A keypair whose time is not told, or that goes away meanwhile, has none."""
        there(wire, {named(OTHER_KEY): OTHER_KEY})
        pages(wire, [])

        assert [spare.created for spare in build().spares()] == [None]

    def test_those_in_use_are_kept(self, build: Build, wire: Wire) -> None:
        """Neither that of any server of the account nor that of the next server is a spare."""
        there(wire, {named(OTHER_KEY): OTHER_KEY, named(ED25519): ED25519})
        foreign = server(id="other", metadata={}, key_name=named(OTHER_KEY))
        pages(wire, [server()], [foreign])

        assert build(public_key=ED25519).spares() == ()

    def test_one_that_is_named_is_kept(self, build: Build, wire: Wire) -> None:
        """A keypair that the settings name is kept, even if we imported it once."""
        there(wire, {named(ED25519): ED25519})
        pages(wire, [])

        assert build(key_name=named(ED25519)).spares() == ()

    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("ann", ED25519),
            ("guestbook-live", ED25519),
            ("guestbook-live-000000000000", ED25519),
            (named(ED25519), OTHER_KEY),
            (named(ED25519) + "-2", ED25519),
            (named(ED25519, app="other"), ED25519),
            (named(ED25519, environment="test"), ED25519),
            (named(ED25519), "-----BEGIN CERTIFICATE-----"),
        ],
    )
    def test_nobody_elses_is_ever_listed(self, build: Build, wire: Wire, name: str, key: str) -> None:
        """Only a keypair named after our app, our environment and the very key it holds is ours."""
        there(wire, {name: key})
        pages(wire, [])

        assert build().spares() == ()


class TestImages:
    """Which images nobody needs."""

    def test_one_that_no_server_was_made_from_is_a_spare(self, build: Build, wire: Wire) -> None:
        """An image that says that it is ours is listed when no server of the account was made from it."""
        there(wire, {}, image(created="2026-01-02T03:04:05Z"), image(id="baked-2"))
        pages(wire, [server(image="")], [server(id="foreign", metadata={}, image={"id": "baked-2"})])

        made = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert build().spares() == (Spare(kind="image", id="baked-1", name="guestbook r1", created=made),)

    def test_every_page_is_read(self, build: Build, wire: Wire) -> None:
        """Images beyond the first page count as well."""
        pages(wire, [])
        there(wire, {})
        first = Reply(body={"images": [image(id="a")], "images_links": NEXT})
        wire.on("GET", "/images/detail$", first, Reply(body={"images": [image(id="b")]}))

        assert [spare.id for spare in build().spares()] == ["a", "b"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"metadata": {}},
            {"metadata": None},
            {"metadata": {"app": "guestbook"}},
            {"metadata": OURS | {"environment": "test"}},
            {"status": "SAVING"},
            {"status": "DELETED"},
            {"id": "Debian 12"},
            {"name": "Debian 12"},
        ],
    )
    def test_nobody_elses_is_ever_listed(self, build: Build, wire: Wire, changes: dict[str, Any]) -> None:
        """Foreign images, those that are being made, and the one that the next server is made from are left out."""
        there(wire, {}, image(**changes))
        pages(wire, [])

        assert build().spares() == ()

    def test_servers_are_looked_at_last(self, build: Build, wire: Wire) -> None:
        """A server that is asked for while we look is seen, and keeps what it is made from."""
        there(wire, {named(OTHER_KEY): OTHER_KEY}, image())
        pages(wire, [])

        build().spares()

        looks = [asked.path.rsplit("/", 2)[-2:] for asked in wire.received("GET", "(os-keypairs|/detail)$")]
        assert looks[-1] == ["servers", "detail"]


class TestDiscarding:
    """What is deleted."""

    @pytest.mark.parametrize("status", [202, 204, 404])
    @pytest.mark.parametrize(("kind", "path"), [("keypair", "/os-keypairs/x-1$"), ("image", "/images/x-1$")])
    def test_a_spare_is_deleted_or_was_gone(self, build: Build, wire: Wire, kind: str, path: str, status: int) -> None:
        """A keypair and an image are deleted by id; one that is gone already is no error."""
        wire.on("DELETE", path, Reply(status=status))

        build().discard(Spare(kind=kind, id="x-1", name="x"))

        assert len(wire.received("DELETE", path)) == 1

    def test_what_cannot_be_deleted_says_why(self, build: Build, wire: Wire) -> None:
        """An image that the cloud still needs is an error that names it."""
        wire.on("DELETE", "/images/", Reply(status=409, body={"conflictingRequest": {"message": "in use"}}))

        with pytest.raises(Conflict, match=r"deleting image guestbook r1: .*in use"):
            build().discard(Spare(kind="image", id="baked-1", name="guestbook r1"))


class TestAddresses:
    """Where in the account there are servers."""

    def test_trap_19_every_address_of_every_server_counts(self, build: Build, wire: Wire) -> None:
        """Fixed and floating, of both families, of ours and of others, on all pages."""
        both = {"private": [{"addr": "10.1.2.3", "version": 4}], "public": [{"addr": "2001:db8::3", "version": 6}]}
        pages(
            wire,
            [server(addresses=both, accessIPv4="198.51.100.3", accessIPv6="")],
            [server(id="foreign", metadata={}, addresses={"office": [{"addr": "10.9.9.9", "version": 4}]})],
            [server(id="building", addresses={})],
        )

        assert build().addresses() == {"10.1.2.3", "2001:db8::3", "198.51.100.3", "10.9.9.9"}


class TestRoom:
    """How many more servers the quotas allow."""

    @pytest.mark.parametrize(
        ("limits", "room"),
        [
            ({}, 8),
            ({"maxTotalInstances": 3}, 1),
            ({"maxTotalInstances": -1, "maxTotalCores": 9}, 2),
            ({"maxTotalInstances": -1, "maxTotalRAMSize": 2048 + 5 * 1024 - 1}, 4),
            ({"maxTotalInstances": 1}, 0),
            ({"maxTotalInstances": -1, "maxTotalRAMSize": -1}, None),
        ],
    )
    def test_the_tightest_quota_counts(
        self, build: Build, wire: Wire, limits: dict[str, int], room: int | None
    ) -> None:
        """Servers, cores and RAM are divided by what the flavor takes; without any limit there is no number."""
        wire.on("GET", "/limits$", Reply(body={"limits": {"rate": [], "absolute": absolute(**limits)}}))

        assert build().room() == room
