from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from tasks.errors import Conflict, QuotaExceeded, SettingsError, Uncertain
from tasks.rollout.model import ServerStatus
from tests.cloud.compute_wire import (
    ED25519,
    LABELS,
    OTHER_KEY,
    REQUEST,
    Build,
    created,
)
from tests.cloud.virtual_clock import VirtualClock
from tests.cloud.wire import Reply, Wire


class TestCreate:
    """What is asked for, and what may go wrong."""

    def test_a_server_is_asked_for(self, build: Build, wire: Wire) -> None:
        """The call names image and flavor by id and carries the labels as metadata."""
        build().create(REQUEST)

        body = created(wire)
        assert (body["name"], body["imageRef"], body["flavorRef"]) == ("guestbook-7-0", "image-1", "flavor-1")
        assert body["metadata"] == LABELS.to_metadata()

    def test_labels_win_over_other_metadata(self, build: Build, wire: Wire) -> None:
        """Items of the profile are written beside the labels, which nothing can replace."""
        build(metadata={"host_key": "once ssh-ed25519 AAAA", "app": "other"}).create(REQUEST)

        assert created(wire)["metadata"] == LABELS.to_metadata() | {"host_key": "once ssh-ed25519 AAAA"}

    def test_what_is_not_wanted_is_not_sent(self, build: Build, wire: Wire) -> None:
        """Optional parts that the profile leaves out are left out of the body, which Nova checks strictly."""
        build().create(REQUEST)

        assert set(created(wire)) == {"name", "imageRef", "flavorRef", "metadata", "min_count", "max_count"}

    def test_trap_21_the_bare_answer_is_enough(self, build: Build, wire: Wire) -> None:
        """The answer to a create holds little but an id: the rest is what was asked for, and nothing more is asked."""
        made = build().create(REQUEST)

        repr(made)
        assert (made.id, made.name, made.status, made.private_ip) == (
            "server-1",
            REQUEST.name,
            ServerStatus.BUILD,
            None,
        )
        assert made.labels == LABELS
        assert wire.requests[-1].method == "POST"

    @pytest.mark.parametrize("reply", [Reply(lost=True), Reply(status=500, body="oops"), Reply(status=503)])
    def test_trap_16_a_create_is_sent_once(self, build: Build, wire: Wire, reply: Reply) -> None:
        """A create whose answer was lost may have made a server: it is Uncertain and never sent again."""
        wire.on("POST", "/servers$", reply)

        with pytest.raises(Uncertain, match="creating server guestbook-7-0"):
            build().create(REQUEST)

        assert len(wire.received("POST", "/servers$")) == 1

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            (
                {"forbidden": {"code": 403, "message": "Quota exceeded for ram: Requested 1024"}},
                "Quota exceeded for ram",
            ),
            ("Networks (0000) required but missing", r"Networks \(0000\) required but missing"),
        ],
    )
    def test_trap_26_a_403_is_a_quota_or_a_rule(self, build: Build, wire: Wire, body: Any, text: str) -> None:
        """A create refused with 403 is final and quotes the reason, be it JSON or plain text; nobody logs in again."""
        wire.on("POST", "/servers$", Reply(status=403, body=body))

        with pytest.raises(QuotaExceeded, match=f"creating server guestbook-7-0: .*{text}"):
            build().create(REQUEST)

        assert len(wire.received("POST", "tokens")) == 1

    def test_a_rate_limit_delays_a_create(self, build: Build, wire: Wire, clock: VirtualClock) -> None:
        """A create that was refused only for the rate of requests is sent again when it may."""
        accepted = Reply(status=202, body={"server": {"id": "server-1"}})
        wire.on("POST", "/servers$", Reply(status=413, body={"overLimit": {}}, headers={"Retry-After": "3"}), accepted)

        assert build().create(REQUEST).id == "server-1"
        assert clock.pauses == [3]

    def test_trap_27_user_data_is_encoded_once(self, build: Build, wire: Wire) -> None:
        """User data arrives as base64 of what was given."""
        build(user_data="#cloud-config\n").create(REQUEST)

        assert base64.b64decode(created(wire)["user_data"]) == b"#cloud-config\n"

    def test_files_are_injected(self, build: Build, wire: Wire) -> None:
        """Files of the profile travel as personality."""
        build(files={"/etc/rc.local": b"#!/bin/sh\n"}).create(REQUEST)

        (injected,) = created(wire)["personality"]
        assert injected["path"] == "/etc/rc.local"
        assert base64.b64decode(injected["contents"]) == b"#!/bin/sh\n"

    def test_trap_20_files_need_an_old_microversion(self, build: Build) -> None:
        """Files at a microversion that has none are a settings error before anything is asked."""
        with pytest.raises(SettingsError, match=r"(?s)microversion 2\.60.*2\.56 or lower"):
            build(files={"/etc/rc.local": b""}, microversion="2.60")

    @pytest.mark.parametrize(("microversion", "header"), [("2", None), ("2.1", "2.1"), ("2.53", "2.53")])
    def test_trap_20_the_microversion_is_pinned(
        self, build: Build, wire: Wire, microversion: str, header: str | None
    ) -> None:
        """Every request of the client names the profile's microversion; "2" names none, for clouds without them."""
        build(microversion=microversion).create(REQUEST)

        (asked,) = wire.received("POST", "/servers$")
        assert asked.headers.get("x-openstack-nova-api-version") == header

    @pytest.mark.parametrize("microversion", ["2.latest", "1.1", "new"])
    def test_a_microversion_that_is_none_is_a_settings_error(self, build: Build, microversion: str) -> None:
        """A microversion that the client cannot speak is said before anything is asked."""
        with pytest.raises(SettingsError, match=f"compute microversion '{microversion}'"):
            build(microversion=microversion)

    def test_without_networks_the_cloud_chooses(self, build: Build, wire: Wire) -> None:
        """From microversion 2.37 on, a create without networks has to say "auto"."""
        build(microversion="2.37").create(REQUEST)

        assert created(wire)["networks"] == "auto"

    def test_networks_are_found_by_name(self, build: Build, wire: Wire) -> None:
        """A network may be named; ids are taken as they are."""
        listed = {"networks": [{"id": "net-1", "name": "back"}]}
        wire.on("GET", "/network/v2.0/networks$", Reply(body=listed))
        known = "11111111-1111-1111-1111-111111111111"

        build(networks=("back", known)).create(REQUEST)

        assert created(wire)["networks"] == [{"uuid": "net-1"}, {"uuid": known}]

    def test_the_names_are_looked_up_once(self, build: Build, wire: Wire) -> None:
        """Image, flavor, networks and keypair are looked up for the first server only."""
        wire.on("GET", "/network/v2.0/networks$", Reply(body={"networks": [{"id": "net-1", "name": "back"}]}))
        wire.on("GET", "/os-keypairs/", Reply(body={"keypair": {"name": "k", "public_key": ED25519}}))
        compute = build(networks=("back",), public_key=ED25519)

        compute.create(REQUEST)
        compute.create(replace(REQUEST, name="guestbook-7-1"))

        assert len(wire.received("GET")) == 4


class TestKeypairs:
    """How the key that lets us in gets there."""

    def test_a_new_key_is_imported_under_a_name_of_its_own(self, build: Build, wire: Wire) -> None:
        """The keypair is named after app, environment and key, so that two operators do not clash."""
        wire.on("POST", "/os-keypairs$", Reply(body={"keypair": {"name": "k", "public_key": ED25519}}))

        build(public_key=ED25519).create(REQUEST)

        (imported,) = wire.received("POST", "/os-keypairs$")
        assert imported.body == {"keypair": {"name": created(wire)["key_name"], "public_key": ED25519}}
        assert created(wire)["key_name"].startswith("guestbook-live-")

    def test_a_known_key_is_used_as_it_is(self, build: Build, wire: Wire) -> None:
        """A key that is there already, even with another comment, is not imported again."""
        found = {"keypair": {"name": "k", "public_key": ED25519.replace("ann@laptop", "ann@desk")}}
        wire.on("GET", "/os-keypairs/", Reply(body=found))

        build(public_key=ED25519).create(REQUEST)

        assert wire.received("POST", "/os-keypairs$") == []

    def test_another_key_of_that_name_is_never_used(self, build: Build, wire: Wire) -> None:
        """A keypair of the chosen name with another key is an error: nobody could log in."""
        wire.on("GET", "/os-keypairs/deploy$", Reply(body={"keypair": {"name": "deploy", "public_key": OTHER_KEY}}))

        with pytest.raises(Conflict, match="keypair 'deploy' holds another public key"):
            build(public_key=ED25519, key_name="deploy").create(REQUEST)

    def test_two_at_once_may_import(self, build: Build, wire: Wire) -> None:
        """When somebody else imported the key in between, theirs is used."""
        found = Reply(body={"keypair": {"name": "k", "public_key": ED25519}})
        wire.on("GET", "/os-keypairs/", Reply(status=404), found)
        wire.on("POST", "/os-keypairs$", Reply(status=409, body={"conflictingRequest": {"message": "exists"}}))

        assert build(public_key=ED25519).create(REQUEST).id == "server-1"
        assert len(wire.received("POST", "/os-keypairs$")) == 1

    def test_of_two_at_once_with_different_keys_one_fails(self, build: Build, wire: Wire) -> None:
        """When somebody else imported another key under the name in between, it is a conflict, not a dead login."""
        theirs = Reply(body={"keypair": {"name": "deploy", "public_key": OTHER_KEY}})
        wire.on("GET", "/os-keypairs/", Reply(status=404), theirs)
        wire.on("POST", "/os-keypairs$", Reply(status=409, body={"conflictingRequest": {"message": "exists"}}))

        with pytest.raises(Conflict, match="holds another public key"):
            build(public_key=ED25519, key_name="deploy").create(REQUEST)

    def test_a_keypair_of_the_cloud_may_be_named(self, build: Build, wire: Wire) -> None:
        """With a name alone, the cloud's own keypair is used."""
        wire.on("GET", "/os-keypairs/deploy$", Reply(body={"keypair": {"name": "deploy", "public_key": OTHER_KEY}}))

        build(key_name="deploy").create(REQUEST)

        assert created(wire)["key_name"] == "deploy"
