"""The guard: what it lets pass, and what it never does."""

from dataclasses import replace

import pytest

from tasks.errors import GuardRefused
from tasks.rollout.guard import Guard
from tasks.rollout.model import Condition
from tests.rollout.builders import HTTP, balancer, node, old
from tests.simulation.world import World


@pytest.fixture
def guard():
    """Give the guard of an account without load balancers."""
    return Guard(app="shop", environment="test", balancers=World().site().balancers)


def of(server, **labels):
    """Give a server with other labels."""
    return replace(server, labels=replace(server.labels, **labels))


def test_an_own_server_that_nobody_knows_may_be_deleted(guard):
    """No load balancer of the account has a node at its address."""
    guard.allow_delete(old(1))


@pytest.mark.parametrize("labels", [{"app": "blog"}, {"environment": "production"}])
def test_a_foreign_server_is_never_deleted(guard, labels):
    """Another app's, or the same app's in another environment."""
    with pytest.raises(GuardRefused, match="belongs to"):
        guard.allow_delete(of(old(1), **labels))


def test_a_server_that_any_load_balancer_of_the_account_knows_is_not_deleted():
    """Also when the load balancer is not one of our listeners, and in whatever condition its node is."""
    world = World()
    somebodys = world.balancers.make(replace(HTTP, name="somebody-elses"))
    world.balancers.join(somebodys, old(1).private_ip, 80).condition = Condition.DRAINING
    guard = Guard(app="shop", environment="test", balancers=world.site().balancers)

    with pytest.raises(GuardRefused, match="somebody-elses still has a node"):
        guard.allow_delete(old(1))


def test_a_node_that_gets_requests_is_not_removed(guard):
    """Draining comes first."""
    with pytest.raises(GuardRefused, match="still ENABLED"):
        guard.allow_removal((old(1),), balancer(node(old(1))))
    guard.allow_removal((old(1),), balancer(node(old(1), Condition.DRAINING)))
