"""Servers that set themselves up at their first boot, in whole rollouts against the simulated cloud."""

import pytest

from tasks.errors import BuildFailed
from tasks.rollout import deploying
from tasks.rollout.steps import SetUp
from tests.rollout.builders import goal
from tests.simulation.world import World

FIRST = goal(generation="20260101-000000-aa", release="r1")
SECOND = goal(generation="20260202-000000-bb", release="r2")


def names(wanted):
    """Give the names of a generation's servers."""
    return {wanted.request(slot).name for slot in (1, 2)}


@pytest.fixture
def world():
    """Give a cloud on which one generation serves; new servers set themselves up and want to be rebooted then."""
    world = World()
    deploying.deploy(FIRST, world.site())
    world.freeze_capacity()
    world.calls.clear()
    world.first_boot_needs_another = True
    return world


def test_a_server_that_set_itself_up_is_rebooted_once(world):
    """Each new server is rebooted before the release comes to it, and goes through all stages after that."""
    deploying.deploy(SECOND, world.site())

    assert world.calls.count("reboot") == 2
    assert world.calls.index("reboot") < world.calls.index("set up 1")
    assert world.serving() == names(SECOND)


def test_set_up_again_does_not_reboot(world):
    """On a server that has had its reboot, set-up can be repeated without another."""
    seen = deploying.deploy(SECOND, world.site())
    deploying.run_stage(SetUp, seen.generation(SECOND.generation), SECOND, world.site())

    assert world.calls.count("reboot") == 2


def test_a_server_that_does_not_come_back_from_its_reboot(world):
    """A reboot that ends in ERROR fails the deploy with the cloud's words; the old servers serve."""

    def fault(call):
        for machine in list(world.servers.by_id.values()) if call == "server" else ():
            if machine.reboots:
                world.servers.break_down(machine, "libvirt error")

    world.fault = fault
    with pytest.raises(BuildFailed, match="did not come back from its reboot; the cloud says: libvirt error"):
        deploying.deploy(SECOND, world.site())

    assert world.names() == world.serving() == names(FIRST)
