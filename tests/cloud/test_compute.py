from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.cloud.faults import ListMoved, NotOffered
from tasks.errors import CloudError, NotFound, Uncertain
from tasks.rollout.labels import Phase
from tasks.rollout.model import Server, ServerStatus
from tests.cloud.compute_wire import (
    ED25519,
    LABELS,
    NEXT,
    REQUEST,
    Build,
    absolute,
    pages,
    server,
)
from tests.cloud.problems import problems
from tests.cloud.wire import Reply, Wire


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

    def test_trap_17_18_the_api_is_never_asked_to_filter(self, build: Build, wire: Wire) -> None:
        """Nova drops a filter by metadata in silence and takes a name for an expression, so no filter is sent."""
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

    def test_trap_29_nothing_is_written_at_home(
        self, build: Build, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The completion cache that novaclient keeps in the home directory is switched off."""
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

    @pytest.mark.parametrize("status", [202, 204, 404])
    def test_trap_28_a_delete_is_accepted_or_was_not_needed(self, build: Build, wire: Wire, status: int) -> None:
        """An accepted delete proves nothing yet: deleting again, and deleting what is gone, are no errors."""
        wire.on("DELETE", "/servers/server-1$", Reply(status=status))

        build().delete("server-1")

        assert len(wire.received("DELETE", "/servers/server-1$")) == 1

    def test_a_reboot_is_asked_for_the_gentle_way(self, build: Build, wire: Wire) -> None:
        """A reboot shuts the operating system down, and is sent once even if its answer is lost."""
        wire.on("POST", "/servers/server-1/action$", Reply(status=202), Reply(lost=True))
        compute = build()

        compute.reboot("server-1")
        with pytest.raises(Uncertain, match="rebooting server server-1"):
            compute.reboot("server-1")

        assert [asked.body for asked in wire.received("POST", "/action$")] == [{"reboot": {"type": "SOFT"}}] * 2

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
        assert problems(build().findings(extra_servers=8)) == []

    def test_everything_is_said_together(self, build: Build, wire: Wire) -> None:
        """Wrong image, wrong flavor and a missing keypair are three problems of one answer, with near names."""
        found = problems(build(image="Debian 13", flavor="smal", key_name="none").findings(extra_servers=1))

        image, flavor, key = found
        assert image == "there is no image 'Debian 13'; did you mean 'Debian 12' or 'Debian 11'? set `server.image`"
        assert flavor == "there is no flavor 'smal'; did you mean 'small'? set `server.flavor`"
        assert key.startswith("there is no keypair 'none'")

    def test_looking_changes_nothing(self, build: Build, wire: Wire) -> None:
        """A key that the cloud does not have yet is neither a problem nor imported by looking."""
        assert problems(build(public_key=ED25519).findings(extra_servers=1)) == []
        assert [asked.path for asked in wire.received("POST")] == ["/identity/v2.0/tokens"]

    def test_without_near_names_some_are_listed(self, build: Build, wire: Wire) -> None:
        """A name that resembles nothing brings a list of what there is."""
        (problem,) = problems(build(image="zzz").findings(extra_servers=1))

        assert problem == "there is no image 'zzz'; there is Debian 12, Debian 11; set `server.image`"

    def test_every_quota_counts(self, build: Build, wire: Wire) -> None:
        """Servers, cores and RAM that do not suffice are said with what is used, allowed and needed."""
        limits = absolute(maxTotalInstances=3, maxTotalCores=5)
        wire.on("GET", "/limits$", Reply(body={"limits": {"rate": [], "absolute": limits}}))

        servers, cores = problems(build().findings(extra_servers=2))
        assert "2 of 3 servers are used, 2 more are needed; have it raised" in servers
        assert "4 of 5 cores are used, 4 more are needed; have it raised" in cores

    def test_files_that_the_cloud_does_not_take_are_a_problem(self, build: Build, wire: Wire) -> None:
        """A cloud without file injection is found out before the first server."""
        limits = absolute(maxPersonality=0)
        wire.on("GET", "/limits$", Reply(body={"limits": {"rate": [], "absolute": limits}}))

        (problem,) = problems(build(files={"/etc/rc.local": b"#!/bin/sh\n"}).findings(extra_servers=1))
        assert "this cloud takes none" in problem

    def test_no_limit_is_no_problem(self, build: Build) -> None:
        """A limit of -1 means that there is none."""
        assert build().limits().cores.allowed is None

    def test_an_ambiguous_image_is_a_problem(self, build: Build, wire: Wire) -> None:
        """Two images of one name are never chosen between; their ids are listed."""
        twice = [{"id": "image-1", "name": "Debian 12"}, {"id": "image-9", "name": "Debian 12"}]
        wire.on("GET", "/images/detail$", Reply(body={"images": twice}))

        (problem,) = problems(build().findings(extra_servers=1))
        assert "choose one by id: image-1, image-9" in problem

    def test_an_image_in_no_list_is_found_by_id(self, build: Build, wire: Wire) -> None:
        """A shared image, which lists leave out, can be used by its id."""
        wire.on("GET", "/images/shared-1$", Reply(body={"image": {"id": "shared-1", "name": "Ours"}}))

        assert problems(build(image="shared-1").findings(extra_servers=1)) == []

    def test_offers_are_read_over_all_pages(self, build: Build, wire: Wire) -> None:
        """A list of images that goes on is followed, and a page that repeats ends it."""
        first = {"images": [{"id": "image-1", "name": "Debian 12"}], "images_links": NEXT}
        second = {"images": [{"id": "image-2", "name": "Debian 13"}], "images_links": NEXT}
        wire.on("GET", "/images/detail$", Reply(body=first), Reply(body=second))

        assert problems(build(image="Debian 13").findings(extra_servers=1)) == []

    def test_a_public_key_that_is_none_is_a_problem(self, build: Build) -> None:
        """A private key, or half a line, in place of a public key is said before a server exists."""
        (problem,) = problems(build(public_key="-----BEGIN OPENSSH PRIVATE KEY-----").findings(extra_servers=1))

        assert problem.startswith("the public key is no line like")

    @pytest.mark.parametrize("path", ["/limits$", "/images/detail$", "/os-keypairs/"])
    def test_an_api_that_fails_is_an_error(self, build: Build, wire: Wire, path: str) -> None:
        """What cannot be asked is an error of the cloud, not a problem of the settings."""
        wire.on("GET", path, Reply(status=500))

        with pytest.raises(CloudError, match="the compute API answered 500"):
            problems(build(public_key=ED25519).findings(extra_servers=1))
