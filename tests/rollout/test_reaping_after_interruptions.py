"""Clearing up after a deploy that was killed: its servers are left-overs until it had begun to rotate."""

import pytest

from tasks.errors import Unfinished
from tasks.rollout import deploying, reaping, returning
from tests.rollout.builders import goal
from tests.rollout.interrupting import killed_at
from tests.simulation.world import World

FIRST = goal(generation="20260101-000000-aa", release="r1")
SECOND = goal(generation="20260202-000000-bb", release="r2")
ANY = goal(generation="", release="")


@pytest.fixture
def live():
    """Give a cloud on which the first generation serves."""
    world = World()
    deploying.deploy(FIRST, world.site())
    return world


def test_servers_that_were_never_put_in_are_deleted(live):
    """They cost money and serve nobody; what serves is not listed."""
    found = reaping.reap(ANY, killed_at(live, "set up 1", SECOND))

    assert {one.name for one in found} == {SECOND.request(slot).name for slot in (1, 2)}
    assert live.names() == live.serving() == {FIRST.request(slot).name for slot in (1, 2)}


def test_a_rotation_that_was_interrupted_has_to_be_finished_or_undone_first(live):
    """Nothing is deleted, and it can be undone afterwards as before."""
    site = killed_at(live, "add lb-shop-test-http", SECOND)
    before = live.names()
    with pytest.raises(Unfinished, match="the deploy of ada was interrupted in its rotation; nothing was deleted"):
        reaping.reap(ANY, site)

    assert live.names() == before
    returning.abort(ANY, site)
    assert live.names() == live.serving() == {FIRST.request(slot).name for slot in (1, 2)}
