"""Questions about the servers that were seen."""

import pytest

from tasks.errors import SettingsError
from tasks.rollout import fleet
from tasks.rollout.labels import Phase
from tests.rollout.builders import NEW, OLD, both, node, old, seen, server

READY = [server(1, migrated=True), server(2)]
SERVING = [old(1, migrated=True), old(2)]
IN_ROTATION = both(*(node(one) for one in SERVING))


def ready(*servers, balancers=IN_ROTATION, release=None, count=None):
    """Give the generation that may be rotated in."""
    found = fleet.newest_ready(seen(*servers, balancers=balancers), release=release, count=count)
    return found[0].labels.generation


def test_the_newest_ready_generation_is_found():
    """It is newer than the one that serves."""
    assert ready(*SERVING, *READY) == NEW


def test_the_one_that_serves_is_found_when_nothing_newer_exists():
    """A rotation can be repeated."""
    assert ready(*SERVING) == OLD


@pytest.mark.parametrize(
    "unready",
    [
        [server(1, migrated=True), server(2, Phase.TESTED)],
        [server(1), server(2)],
    ],
    ids=["one server is not checked", "nobody has migrated"],
)
def test_a_newest_generation_that_is_not_ready_is_refused(unready):
    """Rotating the one that serves in again would say that all is well; the reason is said instead."""
    with pytest.raises(SettingsError, match="ready to be rotated in") as caught:
        ready(*SERVING, *unready)

    assert "shop-2" in str(caught.value)


def test_an_older_generation_is_found_by_its_release():
    """Asked for by name, a generation out of rotation goes back in."""
    assert ready(*SERVING, *READY, balancers=both(*(node(one) for one in READY)), release="r1") == OLD


def test_a_count_that_does_not_fit_is_refused():
    """Three servers were asked for, and no generation has three."""
    with pytest.raises(SettingsError, match="with 3 servers"):
        ready(*SERVING, *READY, count=3)


@pytest.mark.parametrize("name", ["web-a-1", "new-1", "10.0.2.1"])
def test_a_server_is_found_by_name_id_or_private_ip(name):
    """Whatever an operator has at hand."""
    assert fleet.named(seen(server(1, name="web-a-1")), name).id == "new-1"


def test_a_server_is_found_by_its_name_without_app_and_environment():
    """As tables show it."""
    assert fleet.named(seen(server(1, name="shop-test-x-1")), "x-1").id == "new-1"


def test_an_unknown_server_is_answered_with_the_known_ones():
    """A typing error costs one look."""
    with pytest.raises(SettingsError, match=r"10\.0\.2\.1"):
        fleet.named(seen(server(1)), "nobody")


def test_idle_servers_have_no_node():
    """What no load balancer knows may be retired."""
    assert fleet.idle(seen(*SERVING, *READY, balancers=IN_ROTATION)) == tuple(READY)
