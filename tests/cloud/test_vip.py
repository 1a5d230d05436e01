from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.cloud import vip
from tasks.cloud.identity import Access
from tasks.cloud.networks import NetworkApi
from tasks.cloud.patient import Pace
from tasks.errors import SettingsError
from tests.cloud.octavia_wire import PROFILE
from tests.cloud.wire import Reply, Wire

ID = "22222222-2222-2222-2222-222222222222"


def subnet(name: str, **changes: Any) -> dict[str, Any]:
    """Write a subnet as the network API lists it."""
    return {"id": f"{name}-id", "name": name, "ip_version": 4, "cidr": "10.0.0.0/24"} | changes


@pytest.fixture
def networks(access: Access, pace: Pace) -> NetworkApi:
    """Make the network API of the scripted cloud."""
    return NetworkApi(access, pace)


def there_are(wire: Wire, *subnets: dict[str, Any]) -> None:
    """Answer the list of subnets, and of networks of the same names."""
    wire.on("GET", "/v2.0/subnets$", Reply(body={"subnets": list(subnets)}))
    named = [{"id": f"{each['name']}-net", "name": each["name"]} for each in subnets]
    wire.on("GET", "/v2.0/networks$", Reply(body={"networks": named}))


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        ({"vip_subnet": "front"}, {"vip_subnet_id": "front-id"}),
        ({"vip_network": "front"}, {"vip_network_id": "front-net"}),
        ({"vip_subnet": "back", "vip_network": "front"}, {"vip_subnet_id": "back-id", "vip_network_id": "front-net"}),
        ({"vip_subnet": ID}, {"vip_subnet_id": ID}),
    ],
)
def test_a_place_may_be_named(networks: NetworkApi, wire: Wire, wanted: dict[str, str], sent: dict[str, str]) -> None:
    """The subnet, the network or both may be given, by name or id."""
    there_are(wire, subnet("front"), subnet("back"))

    assert vip.choose(replace(PROFILE, **wanted), networks) == sent


def test_the_only_subnet_need_not_be_named(networks: NetworkApi, wire: Wire) -> None:
    """Where there is one IPv4 subnet, it is meant."""
    there_are(wire, subnet("front"), subnet("six", ip_version=6))

    assert vip.choose(PROFILE, networks) == {"vip_subnet_id": "front-id"}


def test_between_several_nobody_chooses(networks: NetworkApi, wire: Wire) -> None:
    """Several subnets are an error that lists them and says how to choose."""
    there_are(wire, subnet("front"), subnet("", id="7", cidr="10.7.0.0/24"))

    with pytest.raises(SettingsError, match=r"(?s)2 IPv4 .*: front \(10\.0\.0\.0/24\), 7 \(10\.7.*name the one"):
        vip.choose(PROFILE, networks)


def test_a_long_list_is_cut_short(networks: NetworkApi, wire: Wire) -> None:
    """Of very many subnets only the first are listed."""
    there_are(wire, *(subnet(f"s{n}") for n in range(40)))

    with pytest.raises(SettingsError, match=r"40 IPv4 subnets .*s7 \(10\.0\.0\.0/24\) …"):
        vip.choose(PROFILE, networks)


def test_without_any_subnet_that_is_said(networks: NetworkApi, wire: Wire) -> None:
    """A project without subnets cannot have a virtual IP."""
    there_are(wire)

    with pytest.raises(SettingsError, match="has 0 IPv4 subnets that a virtual IP could be on\n"):
        vip.choose(PROFILE, networks)
