from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tasks.cloud.compute import NovaCompute
from tasks.cloud.identity import Access
from tasks.cloud.patient import Pace
from tasks.cloud.profiles import Automation, ServerProfile
from tasks.rollout.labels import Labels, Phase
from tasks.rollout.model import Server, ServerStatus
from tests.cloud.wire import Reply, Wire

LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)
BOTH = (Automation.RACKCONNECT, Automation.MANAGED)
RACKCONNECT = "rackconnect_automation_status"
MANAGED = "rax_service_level_automation"

Look = Callable[..., Server]


def server(metadata: dict[str, str], **changes: Any) -> dict[str, Any]:
    """Write a server as Nova shows it, with what the automations wrote to its metadata."""
    return {
        "id": "server-1",
        "name": "guestbook-7-0",
        "status": "ACTIVE",
        "created": "2026-11-23T05:00:00Z",
        "metadata": LABELS.to_metadata() | metadata,
        "addresses": {"private": [{"addr": "10.1.2.3", "version": 4}]},
    } | changes


@pytest.fixture
def look(access: Access, pace: Pace, wire: Wire) -> Look:
    """Look at a server that is as the test says, waiting for these automations."""

    def shown(wait_for: tuple[Automation, ...], metadata: dict[str, str], **changes: Any) -> Server:
        wire.on("GET", "/servers/server-1$", Reply(body={"server": server(metadata, **changes)}))
        profile = ServerProfile(app="guestbook", environment="live", image="i", flavor="f", wait_for=wait_for)
        return NovaCompute(access, profile, pace).server("server-1")

    return shown


@pytest.mark.parametrize(
    ("wait_for", "metadata", "status"),
    [
        ((), {RACKCONNECT: "DEPLOYING"}, ServerStatus.ACTIVE),
        ((Automation.RACKCONNECT,), {}, ServerStatus.BUILD),
        ((Automation.RACKCONNECT,), {RACKCONNECT: "DEPLOYING"}, ServerStatus.BUILD),
        ((Automation.RACKCONNECT,), {RACKCONNECT: "DEPLOYED"}, ServerStatus.ACTIVE),
        ((Automation.RACKCONNECT,), {RACKCONNECT: "UNPROCESSABLE"}, ServerStatus.ACTIVE),
        ((Automation.RACKCONNECT,), {RACKCONNECT: "FAILED"}, ServerStatus.ERROR),
        ((Automation.MANAGED,), {MANAGED: "In Progress"}, ServerStatus.BUILD),
        ((Automation.MANAGED,), {MANAGED: "Complete"}, ServerStatus.ACTIVE),
        ((Automation.MANAGED,), {MANAGED: "Build Error"}, ServerStatus.ERROR),
        (BOTH, {RACKCONNECT: "DEPLOYED"}, ServerStatus.BUILD),
        (BOTH, {RACKCONNECT: "DEPLOYED", MANAGED: "Complete"}, ServerStatus.ACTIVE),
        (BOTH, {MANAGED: "Build Error"}, ServerStatus.ERROR),
    ],
)
def test_trap_22_active_is_not_ready(
    look: Look, wait_for: tuple[Automation, ...], metadata: dict[str, str], status: ServerStatus
) -> None:
    """An ACTIVE server counts as BUILD until what the setting names is done with it, and as ERROR if that fails."""
    assert look(wait_for, metadata).status is status


def test_every_automation_has_words_of_its_own(look: Look) -> None:
    """Whatever may be waited for is known, and is not done before it says so."""
    assert [look((automation,), {}).status for automation in Automation] == [ServerStatus.BUILD] * len(Automation)


@pytest.mark.parametrize("status", ["ERROR", "BUILD", "SHUTOFF"])
def test_an_automation_says_nothing_of_other_servers(look: Look, status: str) -> None:
    """Only a server that Nova calls ACTIVE is waited for."""
    assert look(BOTH, {}, status=status).status is ServerStatus(status)


def test_a_failed_automation_is_the_servers_fault(look: Look) -> None:
    """The failed build says which automation failed, in its own words."""
    assert look(BOTH, {RACKCONNECT: "FAILED"}).fault == "rackconnect_automation_status is 'FAILED'"


def test_trap_23_the_address_is_read_when_rackconnect_is_done(look: Look) -> None:
    """Every look reads the addresses anew, so that one that RackConnect has changed is the one that is used."""
    before = look(BOTH[:1], {RACKCONNECT: "DEPLOYING"})
    moved = {"private": [{"addr": "10.9.9.9", "version": 4}]}

    after = look(BOTH[:1], {RACKCONNECT: "DEPLOYED"}, addresses=moved)
    assert (before.status, after.status) == (ServerStatus.BUILD, ServerStatus.ACTIVE)
    assert after.private_ip == "10.9.9.9"


def test_the_listing_counts_alike(access: Access, pace: Pace, wire: Wire) -> None:
    """A server in a list is waited for as one that is shown."""
    wire.on("GET", "/servers/detail$", Reply(body={"servers": [server({RACKCONNECT: "DEPLOYING"})]}))
    profile = ServerProfile(app="guestbook", environment="live", image="i", flavor="f")
    waiting = replace(profile, wait_for=(Automation.RACKCONNECT,))

    assert [one.status for one in NovaCompute(access, waiting, pace).servers()] == [ServerStatus.BUILD]
    assert [one.status for one in NovaCompute(access, profile, pace).servers()] == [ServerStatus.ACTIVE]
