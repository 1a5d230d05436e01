"""What a failure says of the site: who serves now, and what is left to do."""

import pytest

from tasks.errors import Claimed, DeployError, HostError, Reverted
from tasks.rollout import deploying
from tests.rollout.builders import goal
from tests.simulation.world import World, once, refused

FIRST = goal(generation="20260101-000000-aa", release="r1")
SECOND = goal(generation="20260202-000000-bb", release="r2")
THIRD = goal(generation="20260303-000000-cc", release="r3")


@pytest.fixture
def live():
    """Give a cloud on which the first generation serves."""
    world = World()
    deploying.deploy(FIRST, world.site())
    return world


def failing(world, verb):
    """Give the words of the failure that a verb ends with."""
    with pytest.raises(DeployError) as caught:
        verb(SECOND, world.site())
    return caught.value


def test_before_the_rotation_all_serve_as_before(live):
    """Which servers those are, what was deleted, and what tries again; the problem itself stands first."""
    live.fault = lambda call: HostError("the tests failed", server="x") if call == "test 1" else None
    lines = str(failing(live, deploying.deploy)).splitlines()

    assert lines[0] == "the tests failed"
    assert lines[1:] == [
        "Serving as before: 2 servers of release r1. Deleted: 2 new servers; none is left. `fab deploy` tries again."
    ]


def test_a_bug_during_the_rotation_tells_what_was_undone(live):
    """It is raised as it is, with its traceback, and carries what serves now as a note."""
    live.fault = once("add lb-shop-test-https", ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError) as caught:
        deploying.deploy(SECOND, live.site())

    assert caught.value.__notes__[0].startswith("The old servers serve again: 2 servers of release r1.")


def test_where_nothing_served_that_is_said_too():
    """A first deploy that fails leaves nothing."""
    world = World()
    world.fault = lambda call: HostError("no", server="x") if call == "set up 1" else None

    assert failing(world, deploying.deploy).aftermath.startswith("Serving as before: none.")


def test_during_the_rotation_the_old_ones_are_said_to_be_back(live):
    """With their release."""
    live.fault = refused("add lb-shop-test-https")
    failure = failing(live, deploying.deploy)

    assert isinstance(failure, Reverted)
    assert failure.aftermath.startswith("The old servers serve again: 2 servers of release r1. Deleted: 2 new servers")


def test_what_was_only_rotated_is_kept(live):
    """The servers that were put in by `rotate` stay, so that it can be tried again, and are named."""
    by_hand = live.site()
    deploying.create(SECOND, by_hand)
    for stage in (deploying.SetUp, deploying.Migrate, deploying.TestApp, deploying.Check):
        servers = by_hand.observe().generation(SECOND.generation)
        deploying.run_stage(stage, servers[:1] if stage is deploying.Migrate else servers, SECOND, by_hand)
    live.fault = refused("add lb-shop-test-https")
    failure = failing(live, deploying.rotate)

    assert "Out of rotation, and kept so that it can be tried again: shop-test-2026" in failure.aftermath
    assert failure.aftermath.endswith("`fab reap --yes` deletes what is in no rotation.")


def test_who_comes_second_says_so_once(live):
    """That nothing was changed is in the problem; there is nothing to add."""
    ada = live.operator("ada")
    ada.start(lambda operator: deploying.deploy(SECOND, operator.site))
    live.kernel.run(enough=lambda: live.calls.count("migrate 1") > 1)
    with pytest.raises(Claimed) as caught:
        deploying.deploy(THIRD, live.operator("bob").site)
    ada.die()

    assert "nothing that serves was changed" in caught.value.problem
    assert caught.value.aftermath == ""


def test_whoever_waits_in_vain_is_told_as_who_does_not_wait(live):
    """Who is still at work; nothing was changed."""
    ada = live.operator("ada")
    ada.start(lambda operator: deploying.deploy(SECOND, operator.site))
    live.kernel.run(enough=lambda: live.calls.count("migrate 1") > 1)
    with pytest.raises(Claimed, match=r"the deploy of ada .* is at work; nothing that serves was changed"):
        deploying.deploy(THIRD, live.operator("bob", wait=2.0).site)
    ada.die()
