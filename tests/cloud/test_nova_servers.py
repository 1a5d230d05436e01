from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.cloud.nova_servers import choose_private_ip, read
from tasks.cloud.profiles import ServerProfile
from tasks.rollout.labels import Labels, Phase
from tasks.rollout.model import ServerStatus

PROFILE = ServerProfile(app="guestbook", environment="live", image="i", flavor="f")
LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)
NOT_PRIVATE = "none of its addresses is on the private network"


def addresses(**networks: list[str]) -> dict[str, Any]:
    """Write addresses as Nova shows them; a + before one makes it floating."""
    return {
        label: [
            {
                "addr": ip.lstrip("+"),
                "version": 6 if ":" in ip else 4,
                "OS-EXT-IPS:type": "floating" if ip.startswith("+") else "fixed",
            }
            for ip in ips
        ]
        for label, ips in networks.items()
    }


@pytest.mark.parametrize(
    ("networks", "wanted", "chosen"),
    [
        ({"private": ["10.1.1.1"], "public": ["8.8.8.8"]}, "", "10.1.1.1"),
        ({"private": ["fe80::1", "10.1.1.1"]}, "", "10.1.1.1"),
        ({"office": ["10.1.1.1", "+8.8.8.8"]}, "", "10.1.1.1"),
        ({"a": ["10.1.1.1"], "b": ["10.2.2.2"]}, "", None),
        ({"a": ["10.1.1.1"], "b": ["10.2.2.2"]}, "b", "10.2.2.2"),
        ({"a": ["10.1.1.1"]}, "b", None),
        ({"a": ["10.1.1.1"], "b": ["10.2.2.2"]}, "10.2.0.0/16", "10.2.2.2"),
        ({"a": ["10.1.1.1"]}, "192.168.0.0/16", None),
        ({}, "", None),
    ],
)
def test_the_private_ip_is_chosen(networks: dict[str, list[str]], wanted: str, chosen: str | None) -> None:
    """By label or CIDR where given; else on "private", else the only fixed IPv4 address; never by guessing."""
    assert choose_private_ip(addresses(**networks), wanted) == chosen


@pytest.mark.parametrize(
    ("status", "networks", "fault"),
    [
        (
            "ACTIVE",
            {"a": ["10.1.1.1"], "b": ["10.2.2.2"]},
            f"{NOT_PRIVATE}: 10.1.1.1 (a), 10.2.2.2 (b); set private_network to a label or CIDR of these",
        ),
        ("ACTIVE", {"private": ["10.1.1.1"]}, ""),
        ("ACTIVE", {}, ""),
        ("BUILD", {"a": ["10.1.1.1"], "b": ["10.2.2.2"]}, ""),
    ],
)
def test_a_server_without_a_private_ip_says_so(status: str, networks: dict[str, list[str]], fault: str) -> None:
    """A server that is ACTIVE with addresses none of which is meant is at fault; one that has none yet is not."""
    body = {"id": "1", "name": "n", "status": status, "created": "2026-11-23T05:00:00Z"}

    server = read(body | {"metadata": LABELS.to_metadata(), "addresses": addresses(**networks)}, PROFILE)
    assert server is not None
    assert server.fault == fault


def test_a_server_that_is_being_deleted_is_of_no_use_although_nova_calls_it_active() -> None:
    """Until it is gone Nova shows the status that it had; the task state tells (api-ref, servers, OS-EXT-STS)."""
    body = {
        "id": "1",
        "name": "x",
        "status": "ACTIVE",
        "OS-EXT-STS:task_state": "deleting",
        "created": "2026-01-01T00:00:00Z",
        "metadata": LABELS.to_metadata(),
        "addresses": addresses(private=["10.1.1.1"]),
    }
    server = read(body, PROFILE)

    assert server is not None
    assert server.status is ServerStatus.DELETING


def test_a_time_without_a_zone_is_utc() -> None:
    """When a server was created can be compared, also where a cloud leaves out that it means UTC."""
    body = {
        "id": "1",
        "name": "web",
        "status": "ACTIVE",
        "created": "2026-01-01T00:00:00",
        "metadata": LABELS.to_metadata(),
    }

    found = read(body, PROFILE)

    assert found is not None
    assert found.created == datetime(2026, 1, 1, tzinfo=UTC)
