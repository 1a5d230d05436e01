from __future__ import annotations

from pathlib import Path

import pytest

from tasks.cloud.identity import Access, open_cloud
from tasks.cloud.networks import resolve
from tasks.cloud.patient import Pace
from tasks.errors import Conflict, NotFound
from tests.cloud.wire import SERVICES, Reply, Wire, token

ID = "11111111-1111-1111-1111-111111111111"


def test_ids_are_taken_as_they_are(access: Access, wire: Wire, pace: Pace) -> None:
    """Networks given by id need no network API, which some clouds have not."""
    before = len(wire.requests)

    assert resolve((ID,), access, pace) == (ID,)
    assert len(wire.requests) == before


@pytest.mark.parametrize("root", ["/network", "/network/v2.0"])
def test_names_are_found_wherever_the_endpoint_points(
    clouds_yaml: Path, wire: Wire, pace: Pace, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    """The catalog may point to the root of the network API or, as Rackspace's, to its version."""
    monkeypatch.setitem(SERVICES, "network", ("cloudNetworks", root))
    wire.on("POST", "tokens", Reply(body=token(wire.url)))
    wire.on("GET", "^/network/v2.0/networks$", Reply(body={"networks": [{"id": ID, "name": "back"}]}))

    assert resolve(("back",), open_cloud("here", clouds_yaml=clouds_yaml), pace) == (ID,)


def test_a_network_that_is_not_there_brings_near_names(access: Access, wire: Wire, pace: Pace) -> None:
    """A mistyped network is an error that offers the one that was meant."""
    wire.on("GET", "/networks$", Reply(body={"networks": [{"id": ID, "name": "back"}]}))

    with pytest.raises(NotFound, match=r"(?s)no network 'bakc'.*did you mean 'back'"):
        resolve(("bakc",), access, pace)


def test_two_networks_of_one_name_are_a_conflict(access: Access, wire: Wire, pace: Pace) -> None:
    """Names of networks are not unique; nobody chooses between two."""
    wire.on("GET", "/networks$", Reply(body={"networks": [{"id": "a", "name": "back"}, {"id": "b", "name": "back"}]}))

    with pytest.raises(Conflict, match="2 networks are named 'back'"):
        resolve(("back",), access, pace)


def test_without_a_network_api_ids_are_asked_for(
    clouds_yaml: Path, wire: Wire, pace: Pace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the cloud has no network API, the error says that ids are to be given."""
    monkeypatch.delitem(SERVICES, "network")
    wire.on("POST", "tokens", Reply(body=token(wire.url)))

    with pytest.raises(NotFound, match="cannot be named: give their ids"):
        resolve(("back",), open_cloud("here", clouds_yaml=clouds_yaml), pace)
