"""What an operator should know before anything is done: who is at work, what was interrupted, what is kept."""

import pytest

from tasks.rollout import deploying
from tasks.rollout.goal import Pace
from tasks.rollout.outlook import Rotation, outlook
from tasks.rollout.resuming import Way
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
    world.calls.clear()
    return world


def seen_by(site):
    """Give the outlook of somebody."""
    return outlook(ANY, site.observe(), site)


def test_where_all_is_well_there_is_nothing_to_know(live):
    """Nobody is at work, nothing was interrupted, nothing is kept."""
    found = seen_by(live.site())

    assert (found.at_work, found.interrupted, found.parked) == ((), None, ())


def test_a_deploy_at_work_is_seen(live):
    """Whose it is, from when it claims on; it is not taken for interrupted."""
    ada = live.operator("ada")
    ada.start(lambda operator: deploying.deploy(SECOND, operator.site))
    live.kernel.run(enough=lambda: "migrate 1" in live.calls)
    found = seen_by(live.operator("bob").site)
    ada.die()

    assert [(claim.verb, claim.owner, claim.generation) for claim in found.at_work] == [
        ("deploy", "ada", SECOND.generation)
    ]
    assert found.interrupted is None


@pytest.mark.parametrize(
    ("call", "rotation", "same", "other"),
    [
        ("set up 1", Rotation.NOT_BEGUN, Way.UNDO, Way.UNDO),
        ("add lb-shop-test-http", Rotation.BEGUN, Way.RESUME, Way.UNDO),
        ("set DRAINING lb-shop-test-http", Rotation.COMPLETE, Way.RESUME, Way.FRESH),
    ],
)
def test_an_interrupted_deploy_is_seen_with_how_far_it_came(live, call, rotation, same, other):
    """And with what a deploy of the same release, and of another one, would make of it."""
    found = seen_by(killed_at(live, call, SECOND)).interrupted

    assert found.found.generation == SECOND.generation
    assert (found.rotation, found.same, found.other, found.can_abort) == (rotation, same, other, True)


def test_servers_that_are_kept_are_seen(live):
    """Those that `rollback` would put back."""
    deploying.deploy(goal(generation=SECOND.generation, pace=Pace(standby=60.0)), live.site())
    found = seen_by(live.site())

    assert {server.generation for server in found.parked} == {FIRST.generation}
