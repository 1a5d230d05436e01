from __future__ import annotations

from typing import Any

import pytest

from tasks.cloud.nova_servers import choose_private_ip


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
