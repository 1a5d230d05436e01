"""Settings as goals: pace, generations, and what a rollback is to reach."""

import pytest

from tasks.errors import ReleaseError
from tasks.release.cache import default_cache
from tasks.rollout.goal import Pace
from tasks.rollout.labels import NEXT_DEPLOY, Predecessor
from tasks.rollout.observation import Hook
from tasks.rollout.returning import WayBack
from tasks.settings_file import validate
from tasks.wiring_goals import any_goal, goal_of, new_goal, pace, return_goal
from tests.rollout.builders import OLD, old, server


def settings(**given):
    """Give the settings of the sample app, changed."""
    from tasks.settings import PACKAGE_ROOT

    return validate(given, folder=PACKAGE_ROOT)


@pytest.mark.parametrize(
    ("batches", "count", "sizes"),
    [
        (["100%"], 4, (4,)),
        ([], 4, (4,)),
        ([1, "25%", "100%"], 4, (1, 4)),
        ([1, "25%", "100%"], 10, (1, 3, 10)),
        ([1, "25%"], 10, (1, 3, 10)),
        (["50%", 2], 10, (2, 5, 10)),
        ([5], 2, (2,)),
        (["1%"], 1, (1,)),
    ],
)
def test_batches_become_numbers_of_servers(batches, count, sizes):
    """Shares are rounded up, none is larger than the count, and the last one is all of them."""
    assert pace(settings(batches=batches), count).batches == sizes


@pytest.mark.parametrize(
    ("standby", "seconds"),
    [
        ("0", 0.0),
        ("90s", 90.0),
        ("30m", 1800.0),
        ("12h", 43200.0),
        ("2d", 172800.0),
        ("until next deploy", NEXT_DEPLOY),
    ],
)
def test_standby_becomes_seconds(standby, seconds):
    """Or stays the next deploy."""
    assert pace(settings(standby=standby), 2).standby == seconds


def test_every_deploy_has_a_generation_of_its_own():
    """Named after the time, so that generations sort by age."""
    first, second = (new_goal(settings(), "r1").generation for _ in range(2))

    assert first != second
    assert first > OLD


def test_a_generation_that_exists_is_as_large_as_it_is():
    """Not as large as the settings say now."""
    goal = goal_of(settings(count=5), (old(1), old(2)))

    assert (goal.generation, goal.release, goal.count) == (OLD, "r1", 2)


def test_a_look_needs_no_way_to_seal(tmp_path):
    """Status and clearing up work also where the set-up scripts could not seal a server."""
    assert any_goal(settings(seal=True, bootstrap_scripts=str(tmp_path))).count == 2


def test_servers_that_were_kept_go_back_in_all_at_once():
    """They have proved themselves, and whoever goes back has no time for batches and a watch; standby holds as ever."""
    back = WayBack(previous=Predecessor(OLD, "r1", 1), serving=(server(1),), parked=(old(1),))
    goal = return_goal(settings(batches=[1, "100%"], watch=60, standby="30m"), back)

    assert (goal.generation, goal.release, goal.count) == (OLD, "r1", 1)
    assert goal.pace == Pace(standby=1800.0)


def test_a_release_that_is_not_on_this_machine_cannot_be_deployed_again(monkeypatch, tmp_path):
    """The error names the release and what to type."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    back = WayBack(previous=Predecessor(OLD, "0123456789ab", 1), serving=(server(1),))

    with pytest.raises(ReleaseError, match="release 0123456789ab, which served before, is not on this machine") as told:
        return_goal(settings(), back)

    assert "`fab deploy --release REVISION`" in told.value.advice
    assert default_cache().is_relative_to(tmp_path)


def test_a_goal_knows_the_commands_around_it_and_what_is_done():
    """Only those that are set are steps of a plan; each is told the verb."""
    given = settings(hooks={"before_rotate": "./smoke", "on_failure": "./page"})
    parked = (old(1), old(2))
    back = WayBack(previous=Predecessor(OLD, "r1", 2), serving=(), parked=parked)

    assert new_goal(given, "r2").hooks == {Hook.BEFORE_ROTATE, Hook.ON_FAILURE}
    assert [new_goal(given, "r2").verb, goal_of(given, parked).verb, return_goal(given, back).verb] == [
        "deploy",
        "rotate",
        "rollback",
    ]
