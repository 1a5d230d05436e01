"""One server that failed is kept for somebody to look at, where that is wanted; nothing else is different."""

from datetime import timedelta

import pytest

from tasks.errors import BuildFailed, CommandFailed, DeployError, Reverted
from tasks.rollout import deploying, reaping
from tests.rollout.builders import goal
from tests.simulation.faults import Fault
from tests.simulation.world import World, once

TWO_HOURS = 7200.0
FIRST = goal(generation="20260101-000000-aa", release="r1")
SECOND = goal(generation="20260202-000000-bb", release="r2", keep_failed=TWO_HOURS)
THIRD = goal(generation="20260303-000000-cc", release="r3")
FAILED_TEST = CommandFailed(server="x", stage="test", command="pytest", exit_code=1, tail="1 failed")


@pytest.fixture
def live():
    """Give a cloud on which the first generation serves."""
    world = World()
    deploying.deploy(FIRST, world.site())
    return world


@pytest.fixture
def kept(live):
    """Give that cloud after a deploy whose tests failed on one server, which was kept."""
    failing(live, "test 2", FAILED_TEST)
    return live


def failing(world, call, error, wanted=SECOND):
    """Give the failure that a deploy ends with when one call goes wrong."""
    world.fault = once(call, error)
    with pytest.raises(DeployError) as caught:
        deploying.deploy(wanted, world.site())
    world.fault = lambda _call: None
    return caught.value


def names(goal, *slots):
    """Give the names of a goal's servers."""
    return {goal.request(slot).name for slot in slots or range(1, goal.count + 1)}


def test_the_one_that_failed_is_kept_and_the_others_go(kept):
    """It serves nobody, and what served serves on."""
    assert kept.names() == names(FIRST) | names(SECOND, 2)
    assert kept.serving() == names(FIRST)


def test_it_is_told_until_when_and_what_deletes_it(live):
    """Its private IP is told as well, for whoever logs in."""
    failure = failing(live, "test 2", FAILED_TEST)
    (there,) = live.site().observe().kept

    assert failure.kept == there.private_ip
    until, name = f"{there.kept_until:%Y-%m-%d %H:%M} UTC", there.name
    assert failure.aftermath.splitlines() == [
        "Serving as before: 2 servers of release r1. Deleted: 1 new server. `fab deploy` tries again.",
        f"{name} is kept until {until}, out of rotation; `fab servers.retire --server {name}` deletes it.",
    ]


def test_its_time_is_written_down(kept):
    """On the cloud's clock, in its metadata."""
    site = kept.site()
    (there,) = site.observe().kept
    left = there.kept_until - site.compute.now()

    assert timedelta(0) < left <= timedelta(seconds=TWO_HOURS)


def test_without_being_asked_none_is_kept(live):
    """They cost money."""
    failure = failing(live, "test 2", FAILED_TEST, goal(generation=SECOND.generation, release="r2"))

    assert live.names() == names(FIRST)
    assert failure.kept == ""


def test_one_that_failed_in_rotation_leaves_it_first(live):
    """The old servers are back before it goes out, and it is kept without a node."""

    def dies_in_rotation(call):
        if call.startswith("probe") and live.serving() >= names(SECOND):
            (one,) = (server for server in live.servers.listed() if server.name in names(SECOND, 1))
            live.servers.by_id[one.id].up = False

    live.fault = dies_in_rotation
    with pytest.raises(Reverted):
        deploying.deploy(SECOND, live.site())
    site = live.site()

    assert live.serving() == names(FIRST)
    assert live.names() == names(FIRST) | names(SECOND, 1)
    assert not any(balancer.nodes_of(one) for balancer in site.observe().balancers for one in site.observe().kept)


def test_a_build_that_died_is_not_kept(live):
    """Nobody can log in to it."""
    live.fault = lambda call: Fault.BUILD_DIES if call.startswith("create") else None
    with pytest.raises(BuildFailed):
        deploying.deploy(SECOND, live.site())

    assert live.names() == names(FIRST)


def test_a_later_deploy_neither_uses_it_nor_takes_it_away(kept):
    """It is none of its servers, and the new release serves as if it was not there."""
    deploying.deploy(THIRD, kept.site())

    assert kept.serving() == names(THIRD)
    assert kept.names() == names(THIRD) | names(SECOND, 2)


def test_it_is_left_over_when_its_time_is_up(kept):
    """Before that, `reap` does not list it; afterwards it says why, and deletes it."""
    assert reaping.look(FIRST, kept.site()) == ()

    kept.kernel.time += TWO_HOURS
    (found,) = reaping.reap(FIRST, kept.site())

    assert found.why.startswith("failed, and was kept until 2026-")
    assert kept.names() == names(FIRST)


def test_it_can_be_deleted_before(kept):
    """By its name, as any server that serves nobody."""
    site = kept.site()
    deploying.retire(site.observe().kept, SECOND, site)

    assert kept.names() == names(FIRST)
