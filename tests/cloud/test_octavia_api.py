from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.cloud.identity import open_cloud
from tasks.cloud.octavia_api import OctaviaApi
from tasks.cloud.patient import Pace
from tasks.errors import CloudError, NotFound
from tests.cloud.octavia_wire import lists, pool, versions
from tests.cloud.wire import SERVICES, Reply, Wire, token

NEXT = [{"rel": "next", "href": "http://elsewhere/"}]

Open = Callable[[], OctaviaApi]


@pytest.fixture
def api(wire: Wire, clouds_yaml: Path, pace: Pace) -> Open:
    """Open the API where the catalog says, once the test has had its way with that."""

    def opened() -> OctaviaApi:
        wire.on("POST", "tokens", Reply(body=token(wire.url)))
        return OctaviaApi(open_cloud("here", clouds_yaml=clouds_yaml), pace)

    return opened


@pytest.mark.parametrize("path", ["/octavia", "/octavia/", "/octavia/v2", "/octavia/v2.0/"])
def test_the_endpoint_may_include_the_version(
    api: Open, wire: Wire, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The catalog may point to the root or to a version: paths and the list of versions are found all the same."""
    monkeypatch.setitem(SERVICES, "load-balancer", ("octavia", path))
    versions(wire, "v2.0", "v2.26")
    wire.on("GET", "^/octavia/v2/lbaas/pools$", Reply(body={"pools": [pool()]}))
    opened = api()

    assert opened.versions == {"v2.0", "v2.26"}
    assert [body["id"] for body in opened.listed("pools")] == ["pool"]


@pytest.mark.parametrize(
    "reply", [Reply(status=404), Reply(status=403), Reply(status=405), Reply(body={"message": "welcome"})]
)
def test_an_endpoint_may_hide_its_versions(api: Open, wire: Wire, reply: Reply) -> None:
    """A root that shows no versions has none, and nothing is taken for granted."""
    wire.on("GET", "^/octavia/$", reply)

    assert api().versions == frozenset()


def test_a_root_that_is_down_is_an_error(api: Open, wire: Wire) -> None:
    """An endpoint that cannot be asked is not taken for an old one."""
    wire.on("GET", "^/octavia/$", Reply(status=500))
    opened = api()

    with pytest.raises(CloudError):
        _ = opened.versions


def test_the_versions_are_asked_for_once(api: Open, wire: Wire) -> None:
    """What an endpoint can do does not change while we work with it."""
    versions(wire, "v2.0")
    opened = api()

    assert opened.versions == opened.versions
    assert len(wire.received("GET", "^/octavia/$")) == 1


def test_every_page_is_read(api: Open, wire: Wire) -> None:
    """Pages are followed as long as there is a link to the next, each from the last entry seen."""
    first: dict[str, Any] = {"pools": [pool(id="a"), pool(id="b")], "pools_links": NEXT}
    wire.on("GET", "/pools$", Reply(body=first), Reply(body={"pools": [pool(id="c")], "pools_links": []}))

    assert [body["id"] for body in api().listed("pools")] == ["a", "b", "c"]
    assert [asked.query.get("marker") for asked in wire.received("GET", "/pools$")] == [None, ["b"]]


def test_a_list_that_moves_is_begun_again(api: Open, wire: Wire) -> None:
    """When the last entry of a page is deleted before the next is asked for, the list is read from its start."""
    moved = Reply(status=400, body={"faultstring": "Supplied pagination marker 'b' is not valid."})
    first = Reply(body={"pools": [pool(id="a"), pool(id="b")], "pools_links": NEXT})
    wire.on("GET", "/pools$", first, moved, Reply(body={"pools": [pool(id="a")]}))

    assert [body["id"] for body in api().listed("pools")] == ["a"]


def test_what_is_deleted_is_not_listed(api: Open, wire: Wire) -> None:
    """Octavia keeps what was deleted for a while; a list of ours does not show it."""
    lists(wire, "pools", pool(), pool(id="old", provisioning_status="DELETED"))

    assert [body["id"] for body in api().listed("pools")] == ["pool"]


def test_a_cloud_without_octavia_says_so(api: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog without this API is an error that names what was looked for."""
    monkeypatch.delitem(SERVICES, "load-balancer")

    with pytest.raises(NotFound, match=r"no Octavia load balancers in region ORD \(catalog type load-balancer\)"):
        api()
