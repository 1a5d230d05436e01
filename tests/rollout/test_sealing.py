"""Rollouts that seal their servers, and those that meet sealed ones, against the simulated cloud."""

from dataclasses import replace

import pytest

from tasks.errors import HostError, HostUnreachable, Unfinished
from tasks.rollout import deploying
from tasks.rollout.events import Said
from tasks.rollout.steps import Check, Migrate, SetUp, TestApp
from tests.rollout.builders import goal
from tests.simulation.world import World

FIRST = goal(generation="20260101-000000-aa", release="r1", seal=True)
SECOND = goal(generation="20260202-000000-bb", release="r2", seal=True)


@pytest.fixture
def world():
    """Give an empty cloud."""
    return World()


@pytest.fixture
def sealed(world):
    """Give a cloud on which a sealed generation serves."""
    deploying.deploy(FIRST, world.site())
    world.freeze_capacity()
    return world


def locked(world):
    """Give the ids of the servers that nobody can log in to."""
    return {machine.id for machine in world.servers.by_id.values() if machine.locked}


def said(world):
    """Give what the operator was told beside the steps."""
    return [event.text for event in world.said if isinstance(event, Said)]


def test_servers_that_serve_are_sealed(sealed):
    """After a deploy nobody can log in to any server, and the metadata says so."""
    servers = sealed.site().observe().servers

    assert [server.labels.sealed for server in servers] == [True, True]
    assert locked(sealed) == {server.id for server in servers}


def test_sealed_servers_are_replaced_like_any_other(sealed):
    """The next deploy never logs in to them, gives them the whole drain limit, and says why."""
    before = sealed.kernel.time
    deploying.deploy(SECOND, sealed.site(drain=20.0))

    assert sealed.names() == sealed.serving() == {SECOND.request(slot).name for slot in (1, 2)}
    assert sealed.kernel.time - before > 20.0
    assert sorted(text for text in said(sealed) if "sealed" in text) == [
        f"{FIRST.request(slot).name} was given 20 s to drain; it is sealed, so its connections could not be counted"
        for slot in (1, 2)
    ]


@pytest.mark.parametrize("stage", [SetUp, Migrate, TestApp, Check])
def test_no_stage_runs_on_a_sealed_server(sealed, stage):
    """The error says that the server is sealed and that only a deploy replaces it; nothing is tried."""
    site = sealed.site()
    ran = list(sealed.ran)

    with pytest.raises(HostError, match="is sealed: nobody can log in") as refused:
        deploying.run_stage(stage, site.observe().servers[:1], FIRST, site)

    assert "fab deploy" in refused.value.advice
    assert sealed.ran == ran


def test_a_rotation_that_fails_puts_sealed_servers_back(sealed):
    """Serving takes no login: the old servers serve again, sealed as they were."""
    sealed.fault = lambda call: HostError("no", server="x") if call == "test 1" else None

    with pytest.raises(HostError):
        deploying.deploy(SECOND, sealed.site())

    assert sealed.serving() == {FIRST.request(slot).name for slot in (1, 2)}


def test_a_seal_that_fails_leaves_the_servers_serving(world):
    """Even where nothing served before, what serves is kept; running it again seals what is left."""
    world.fault = lambda call: HostUnreachable("no SSH", server="x") if call == "seal 2" else None
    with pytest.raises(Unfinished, match="no SSH"):
        deploying.deploy(FIRST, world.site())
    assert len(world.serving()) == 2

    world.fault = lambda _call: None
    deploying.rotate(FIRST, world.site(wait=120.0))

    assert [server.labels.sealed for server in world.site().observe().servers] == [True, True]
    assert len(locked(world)) == 2


def test_sealing_comes_last(sealed):
    """Servers are sealed when the old ones are out of every load balancer, so that a failure could be undone before."""
    sealed.calls.clear()
    deploying.deploy(SECOND, sealed.site())

    removals = [number for number, call in enumerate(sealed.calls) if call.startswith("remove")]
    seals = [number for number, call in enumerate(sealed.calls) if call.startswith("seal")]
    assert max(removals) < min(seals)


def test_sealing_can_be_switched_on_later(world):
    """A generation that serves unsealed is sealed by a rotation to it."""
    deploying.deploy(replace(FIRST, seal=False), world.site())
    deploying.rotate(FIRST, world.site())

    assert len(locked(world)) == 2
