"""Servers that show a wrong host key, or whose connection is lost: replaced, against the simulated cloud."""

import pytest

from tasks.errors import BuildFailed, ConnectionLost, WrongHostKey
from tasks.rollout import deploying, fleet
from tasks.rollout.events import Said
from tasks.rollout.labels import Phase
from tasks.rollout.rotating import take_claim
from tasks.rollout.steps import SetUp, TakeClaim
from tests.rollout.builders import goal, seen, server
from tests.simulation.world import World

GOAL = goal(generation="20260202-000000-bb")
WRONG = WrongHostKey("web-1 at 10.0.0.1 showed the SSH host key SHA256:x, but it is known by SHA256:y", server="web-1")
LOST = ConnectionLost("no SSH connection to web-1 at 10.0.0.1: it was lost while test ran the tests", server="web-1")


@pytest.fixture
def world():
    """Give an empty cloud."""
    return World()


@pytest.mark.parametrize("stage", ["set up", "migrate", "test", "check"])
def test_a_wrong_key_costs_a_server_and_not_the_deploy(world, stage):
    """The server is refused, deleted and replaced by another one of its slot, and the report says why."""
    world.fault = lambda call: WRONG if call == f"{stage} 1" and world.calls.count(call) == 1 else None

    deploying.deploy(GOAL, world.site())

    told = [event.text for event in world.said if isinstance(event, Said)]
    assert world.serving() == world.names() == {GOAL.request(slot).name for slot in (1, 2)}
    assert world.calls.count("create 1") == 2
    assert told == [f"{GOAL.request(1).name} is replaced: {WRONG.problem}"]


@pytest.mark.parametrize("stage", ["set up", "test", "check"])
def test_a_lost_connection_costs_a_server_and_not_the_deploy(world, stage):
    """Nobody knows what still runs on a server whose connection was lost during a stage: it is replaced."""
    world.fault = lambda call: LOST if call == f"{stage} 1" and world.calls.count(call) == 1 else None

    deploying.deploy(GOAL, world.site())

    told = [event.text for event in world.said if isinstance(event, Said)]
    assert world.serving() == world.names() == {GOAL.request(slot).name for slot in (1, 2)}
    assert world.calls.count("create 1") == 2
    assert told == [f"{GOAL.request(1).name} is replaced: {LOST.problem}"]


def test_a_connection_lost_during_the_migrations_ends_the_deploy(world):
    """Migrations may still run there: they are not begun a second time, and the new servers are deleted."""
    world.fault = lambda call: LOST if call == "migrate 1" else None

    with pytest.raises(ConnectionLost):
        deploying.deploy(GOAL, world.site())

    assert [call for call in world.calls if call.startswith("migrate")] == ["migrate 1"]
    assert world.names() == set()


def test_a_wrong_key_every_time_ends_the_deploy(world):
    """After as many servers as builds are tried, the deploy fails with what was seen, and leaves nothing."""
    world.fault = lambda call: WRONG if call == "set up 1" else None

    with pytest.raises(BuildFailed, match=r"slot 1 got no server that can be used, 3 times; .*SHA256:x"):
        deploying.deploy(GOAL, world.site())

    assert world.calls.count("create 1") == 3
    assert world.names() == set()


def test_a_stage_alone_fails_on_a_wrong_key(world):
    """`fab setup` replaces nothing: it says what was seen, and the server is as it was."""
    site = world.site()
    deploying.create(GOAL, site)
    world.fault = lambda call: WRONG if call == "set up 1" else None

    with pytest.raises(WrongHostKey):
        deploying.run_stage(SetUp, fleet.newest(site.observe()), GOAL, site)

    phases = {server.labels.slot: server.phase for server in site.observe().servers}
    assert phases == {1: Phase.BOOTING, 2: Phase.SET_UP}


def test_a_server_that_is_not_trusted_carries_no_claim():
    """It is about to be replaced, and its metadata goes with it."""
    wrong = WrongHostKey("another key", server="new-1")

    assert take_claim(seen(server(1), held=False, distrusted={"new-1": wrong})) == frozenset()
    assert take_claim(seen(server(1), server(2), held=False, distrusted={"new-1": wrong})) == {
        TakeClaim(server_id="new-2")
    }
