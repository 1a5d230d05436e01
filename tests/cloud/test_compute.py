from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.cloud.compute import NovaCompute
from tasks.cloud.faults import ListMoved, NotOffered
from tasks.cloud.identity import Access
from tasks.cloud.patient import Pace
from tasks.cloud.profiles import ServerProfile
from tasks.errors import CloudError, Conflict, NotFound, QuotaExceeded, SettingsError, Uncertain
from tasks.rollout.model import Labels, Phase, Server, ServerRequest, ServerStatus
from tests.cloud.virtual_clock import VirtualClock
from tests.cloud.wire import Reply, Wire

LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)
REQUEST = ServerRequest(name="guestbook-7-0", labels=LABELS)
PROFILE = ServerProfile(app="guestbook", environment="live", image="Debian 12", flavor="small")
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPVqLSwwTwkGOCBBYHVbsJv0DNOPgqzyLbEFpFbZ8LfA ann@laptop"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA bob@laptop"

NEXT = [{"rel": "next", "href": "http://elsewhere/"}]

Build = Callable[..., NovaCompute]


@pytest.fixture
def build(access: Access, pace: Pace, wire: Wire) -> Build:
    """Make the compute port of a cloud that offers an image, a flavor and room."""
    images = [{"id": "image-1", "name": "Debian 12"}, {"id": "image-2", "name": "Debian 11"}]
    wire.on("GET", "/images/detail$", Reply(body={"images": images}))
    flavors = [{"id": "flavor-1", "name": "small", "ram": 1024, "vcpus": 2}]
    wire.on("GET", "/flavors/detail$", Reply(body={"flavors": flavors}))
    wire.on("GET", "/limits$", Reply(body={"limits": {"rate": [], "absolute": absolute()}}))
    wire.on("POST", "/servers$", Reply(status=202, body={"server": {"id": "server-1", "links": [], "adminPass": "x"}}))
    return lambda **changes: NovaCompute(access, replace(PROFILE, **changes), pace)


def absolute(**changes: int) -> dict[str, int]:
    """Write absolute limits."""
    used = {"totalInstancesUsed": 2, "totalCoresUsed": 4, "totalRAMUsed": 2048}
    return used | {"maxTotalInstances": 10, "maxTotalCores": -1, "maxTotalRAMSize": 10_240} | changes


def server(**changes: Any) -> dict[str, Any]:
    """Write a server as Nova shows it."""
    address = {"addr": "10.1.2.3", "version": 4, "OS-EXT-IPS:type": "fixed"}
    return {
        "id": "server-1",
        "name": REQUEST.name,
        "status": "ACTIVE",
        "created": "2026-11-23T05:00:00Z",
        "metadata": LABELS.to_metadata(),
        "addresses": {"private": [address]},
    } | changes


def pages(wire: Wire, *of_servers: list[dict[str, Any]]) -> None:
    """Answer the list of servers page by page."""
    *first, last = of_servers
    bodies = [*({"servers": page, "servers_links": NEXT} for page in first), {"servers": last}]
    wire.on("GET", "/servers/detail$", *(Reply(body=body) for body in bodies))


def created(wire: Wire) -> dict[str, Any]:
    """Give the body of the only create call that was received."""
    (request,) = wire.received("POST", "/servers$")
    return dict(request.body["server"])


class TestServers:
    """What is listed and shown."""

    def test_a_server_is_read(self, build: Build, wire: Wire) -> None:
        """Nova's answer becomes a server with its labels, status and private IP."""
        pages(wire, [server()])

        expected = Server(
            id="server-1",
            name="guestbook-7-0",
            status=ServerStatus.ACTIVE,
            private_ip="10.1.2.3",
            created=datetime(2026, 11, 23, 5, 0, tzinfo=UTC),
            labels=LABELS,
        )
        assert build().servers() == (expected,)

    @pytest.mark.parametrize(
        "metadata",
        [
            {},
            LABELS.to_metadata() | {"app": "other"},
            LABELS.to_metadata() | {"environment": "test"},
            {"app": "guestbook", "environment": "live"},
            LABELS.to_metadata() | {"slot": "first"},
        ],
    )
    def test_only_ours_exist(self, build: Build, wire: Wire, metadata: dict[str, str]) -> None:
        """A server whose metadata is not completely ours is neither listed nor shown."""
        pages(wire, [server(metadata=metadata)])
        wire.on("GET", "/servers/server-1$", Reply(body={"server": server(metadata=metadata)}))

        assert build().servers() == ()
        with pytest.raises(NotFound, match="does not say that it belongs to guestbook live"):
            build().server("server-1")

    def test_trap_17_the_api_is_never_asked_to_filter(self, build: Build, wire: Wire) -> None:
        """Nova drops a filter by metadata in silence, so none is sent."""
        pages(wire, [server()])

        build().servers()

        assert {name for asked in wire.received("GET", "/servers/detail") for name in asked.query} <= {"marker"}

    def test_trap_19_every_page_is_read(self, build: Build, wire: Wire) -> None:
        """Pages are followed as long as there is a link to the next, each from the last server seen."""
        pages(wire, [server(id="a"), server(id="b")], [server(id="c")])

        assert [found.id for found in build().servers()] == ["a", "b", "c"]
        assert [asked.query.get("marker") for asked in wire.received("GET", "/servers/detail")] == [None, ["b"]]

    def test_trap_19_a_page_that_comes_twice_ends_the_list(self, build: Build, wire: Wire) -> None:
        """A service that repeats a page for ever neither hangs us nor doubles a server."""
        wire.on("GET", "/servers/detail$", Reply(body={"servers": [server(id="a")], "servers_links": NEXT}))

        assert [found.id for found in build().servers()] == ["a"]

    def test_a_list_that_moves_is_begun_again(self, build: Build, wire: Wire) -> None:
        """When the last server of a page is deleted before the next is asked for, the list is read from its start."""
        first = Reply(body={"servers": [server(id="a"), server(id="b")], "servers_links": NEXT})
        gone = Reply(status=400, body={"badRequest": {"code": 400, "message": "marker [b] not found"}})
        wire.on("GET", "/servers/detail$", first, gone, Reply(body={"servers": [server(id="a")]}))

        assert [found.id for found in build().servers()] == ["a"]

    def test_a_list_that_never_rests_is_an_error(self, build: Build, wire: Wire) -> None:
        """A list whose pages never fit together is not read for ever."""
        gone = Reply(status=400, body={"badRequest": {"code": 400, "message": "marker [b] not found"}})
        wire.on("GET", "/servers/detail$", gone)

        with pytest.raises(ListMoved, match="listing servers"):
            build().servers()

    def test_a_status_that_nobody_knows_is_unknown(self, build: Build, wire: Wire) -> None:
        """A status of a newer or stranger Nova does not crash."""
        wire.on("GET", "/servers/server-1$", Reply(body={"server": server(status="SHELVED_OFFLOADED")}))

        assert build().server("server-1").status is ServerStatus.UNKNOWN

    @pytest.mark.parametrize(
        ("nova", "ours"), [("HARD_REBOOT", ServerStatus.REBOOT), ("SOFT_DELETED", ServerStatus.DELETED)]
    )
    def test_statuses_of_one_meaning_are_one(self, build: Build, wire: Wire, nova: str, ours: ServerStatus) -> None:
        """A hard reboot is a reboot, and a server that could be restored is deleted."""
        wire.on("GET", "/servers/server-1$", Reply(body={"server": server(status=nova)}))

        assert build().server("server-1").status is ours

    def test_trap_25_the_fault_of_a_dead_build_is_kept(self, build: Build, wire: Wire) -> None:
        """A server in ERROR carries the message of its fault; its details are hidden from users."""
        fault = {"code": 500, "message": "No valid host was found.", "created": "2026-11-23T05:00:01Z"}
        wire.on("GET", "/servers/server-1$", Reply(body={"server": server(status="ERROR", fault=fault)}))

        assert build().server("server-1").fault == "No valid host was found."

    def test_nothing_is_written_at_home(
        self, build: Build, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The completion cache that novaclient keeps in the home directory is switched off (trap 29)."""
        home = tmp_path / "home"
        home.mkdir()
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("NOVACLIENT_UUID_CACHE_DIR", raising=False)
        pages(wire, [server()])
        wire.on("GET", "/os-keypairs/", Reply(status=404))
        wire.on("POST", "/os-keypairs$", Reply(body={"keypair": {"name": "k", "public_key": ED25519}}))
        compute = build(public_key=ED25519)

        compute.servers()
        compute.create(REQUEST)
        compute.limits()

        assert list(home.iterdir()) == []


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


class TestChanges:
    """Labels, delete, console."""

    def test_labels_are_merged_into_the_metadata(self, build: Build, wire: Wire) -> None:
        """Labels are written with POST, which leaves other metadata as it is."""
        wire.on("POST", "/servers/server-1/metadata$", Reply(body={"metadata": {}}))
        wire.on("GET", "/servers/server-1$", Reply(body={"server": server()}))
        compute = build()

        compute.label(compute.server("server-1").passed(Phase.SET_UP))

        (written,) = wire.received("POST", "/metadata$")
        assert written.body == {"metadata": LABELS.to_metadata() | {"phase": "set-up"}}

    def test_one_item_is_noted(self, build: Build, wire: Wire) -> None:
        """What is no label is written alone; a later label leaves it as it is, since labels do not hold it."""
        wire.on("POST", "/servers/server-1/metadata$", Reply(body={"metadata": {}}))
        noted = server(metadata=LABELS.to_metadata() | {"host_key": "ssh-ed25519 AAAA"})
        wire.on("GET", "/servers/server-1$", Reply(body={"server": noted}))
        compute = build()
        seen = compute.server("server-1")

        compute.note(seen, "host_key", "ssh-ed25519 BBBB")
        compute.label(seen)

        bodies = [written.body["metadata"] for written in wire.received("POST", "/metadata$")]
        assert bodies == [{"host_key": "ssh-ed25519 BBBB"}, LABELS.to_metadata()]
        assert seen.labels.host_key == "ssh-ed25519 AAAA"

    @pytest.mark.parametrize("status", [202, 204, 404])
    def test_a_delete_is_accepted_or_was_not_needed(self, build: Build, wire: Wire, status: int) -> None:
        """Deleting a server that is gone is no error (trap 28)."""
        wire.on("DELETE", "/servers/server-1$", Reply(status=status))

        build().delete("server-1")

        assert len(wire.received("DELETE", "/servers/server-1$")) == 1

    def test_the_whole_console_is_read(self, build: Build, wire: Wire) -> None:
        """The console log is asked for without a length, since host keys may have scrolled far up."""
        wire.on("POST", "/action$", Reply(body={"output": "booting\nlogin:"}))

        assert build().console("server-1") == "booting\nlogin:"
        assert wire.received("POST", "/action$")[0].body == {"os-getConsoleOutput": {"length": None}}

    @pytest.mark.parametrize("status", [404, 409])
    def test_no_console_yet_is_an_empty_one(self, build: Build, wire: Wire, status: int) -> None:
        """Nova's two ways to say "not yet" give an empty log."""
        wire.on("POST", "/action$", Reply(status=status))
        wire.on("GET", "/servers/server-1$", Reply(body={"server": server()}))

        assert build().console("server-1") == ""

    def test_the_console_of_no_server_is_an_error(self, build: Build, wire: Wire) -> None:
        """A server that is gone has no console, not an empty one."""
        with pytest.raises(NotFound, match="reading the console of server server-1"):
            build().console("server-1")

        assert wire.requests[-1].method == "GET"

    def test_a_cloud_without_consoles_says_so(self, build: Build, wire: Wire) -> None:
        """A cloud whose driver shows no consoles is told from one that has none yet."""
        wire.on("POST", "/action$", Reply(status=501, body={"notImplemented": {"message": "Unable"}}))

        with pytest.raises(NotOffered, match="reading the console"):
            build().console("server-1")


class TestPreflight:
    """Everything that would keep servers from being created is said at once."""

    def test_nothing_is_wrong(self, build: Build) -> None:
        """Where all names are right and there is room, there is nothing to say."""
        assert build().problems(extra_servers=8) == []

    def test_everything_is_said_together(self, build: Build, wire: Wire) -> None:
        """Wrong image, wrong flavor and a missing keypair are three problems of one answer, with near names."""
        problems = build(image="Debian 13", flavor="smal", key_name="none").problems(extra_servers=1)

        image, flavor, key = problems
        assert image == "there is no image 'Debian 13'; did you mean 'Debian 12' or 'Debian 11'?"
        assert flavor == "there is no flavor 'smal'; did you mean 'small'?"
        assert key.startswith("there is no keypair 'none'")

    def test_looking_changes_nothing(self, build: Build, wire: Wire) -> None:
        """A key that the cloud does not have yet is neither a problem nor imported by looking."""
        assert build(public_key=ED25519).problems(extra_servers=1) == []
        assert [asked.path for asked in wire.received("POST")] == ["/identity/v2.0/tokens"]

    def test_without_near_names_some_are_listed(self, build: Build, wire: Wire) -> None:
        """A name that resembles nothing brings a list of what there is."""
        (problem,) = build(image="zzz").problems(extra_servers=1)

        assert problem == "there is no image 'zzz'; there is Debian 12, Debian 11"

    def test_every_quota_counts(self, build: Build, wire: Wire) -> None:
        """Servers, cores and RAM that do not suffice are said with what is used, allowed and needed."""
        limits = absolute(maxTotalInstances=3, maxTotalCores=5)
        wire.on("GET", "/limits$", Reply(body={"limits": {"rate": [], "absolute": limits}}))

        servers, cores = build().problems(extra_servers=2)
        assert servers.endswith("2 of 3 servers are used, 2 more are needed")
        assert cores.endswith("4 of 5 cores are used, 4 more are needed")

    def test_no_limit_is_no_problem(self, build: Build) -> None:
        """A limit of -1 means that there is none."""
        assert build().limits().cores.allowed is None

    def test_an_ambiguous_image_is_a_problem(self, build: Build, wire: Wire) -> None:
        """Two images of one name are never chosen between; their ids are listed."""
        twice = [{"id": "image-1", "name": "Debian 12"}, {"id": "image-9", "name": "Debian 12"}]
        wire.on("GET", "/images/detail$", Reply(body={"images": twice}))

        (problem,) = build().problems(extra_servers=1)
        assert "choose one by id: image-1, image-9" in problem

    def test_an_image_in_no_list_is_found_by_id(self, build: Build, wire: Wire) -> None:
        """A shared image, which lists leave out, can be used by its id."""
        wire.on("GET", "/images/shared-1$", Reply(body={"image": {"id": "shared-1", "name": "Ours"}}))

        assert build(image="shared-1").problems(extra_servers=1) == []

    def test_offers_are_read_over_all_pages(self, build: Build, wire: Wire) -> None:
        """A list of images that goes on is followed, and a page that repeats ends it."""
        first = {"images": [{"id": "image-1", "name": "Debian 12"}], "images_links": NEXT}
        second = {"images": [{"id": "image-2", "name": "Debian 13"}], "images_links": NEXT}
        wire.on("GET", "/images/detail$", Reply(body=first), Reply(body=second))

        assert build(image="Debian 13").problems(extra_servers=1) == []

    def test_a_public_key_that_is_none_is_a_problem(self, build: Build) -> None:
        """A private key, or half a line, in place of a public key is said before a server exists."""
        (problem,) = build(public_key="-----BEGIN OPENSSH PRIVATE KEY-----").problems(extra_servers=1)

        assert problem.startswith("the public key is no line like")

    @pytest.mark.parametrize("path", ["/limits$", "/images/detail$", "/os-keypairs/"])
    def test_an_api_that_fails_is_an_error(self, build: Build, wire: Wire, path: str) -> None:
        """What cannot be asked is an error of the cloud, not a problem of the settings."""
        wire.on("GET", path, Reply(status=500))

        with pytest.raises(CloudError, match="the compute API answered 500"):
            build(public_key=ED25519).problems(extra_servers=1)
