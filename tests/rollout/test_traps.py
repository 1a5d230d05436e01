"""The known traps of these APIs that a rollout can step into, by their numbers in the API facts."""

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from tasks.rollout import deploying
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition, NodeStatus
from tasks.rollout.planning import rotation
from tasks.rollout.ports import Balancers
from tasks.rollout.steps import AddNodes, RemoveNodes, SetCondition
from tests.rollout.builders import HTTP, HTTPS, NODE_PORT, balancer, goal, node, old, seen, server
from tests.simulation.world import World

ROOT = Path(__file__).parent.parent.parent


def test_trap_05_no_load_balancer_is_ever_deleted():
    """Deleting one in the wrong state has an answer of its own; the rollout has no way to ask for it."""
    assert not [name for name in vars(Balancers) if "delete" in name]


def test_trap_07_new_and_old_nodes_have_to_fit_together():
    """They are on the load balancer at the same time: 13 beside 13 are more than 25, so the last one comes later."""
    world = World()
    fleet = goal(count=13, generation="20260101-000000-aa")
    deploying.deploy(fleet, world.site())
    world.freeze_capacity()

    deploying.deploy(goal(count=13), world.site())

    assert world.serving() == world.names() == {goal(count=13).request(slot).name for slot in range(1, 14)}


@given(
    conditions=st.lists(st.sampled_from([None, *Condition]), min_size=2, max_size=2),
    statuses=st.lists(st.sampled_from(NodeStatus), min_size=2, max_size=2),
)
def test_trap_12_the_last_good_node_is_never_drained(conditions, statuses):
    """Nothing stops a client from draining it; an old node drains only while the new one serves on both ports."""
    new, gone = server(1, Phase.SERVING), old(1)
    nodes = [
        [node(new, condition, status)] if condition else []
        for condition, status in zip(conditions, statuses, strict=True)
    ]
    state = seen(
        new, gone, balancers=[balancer(*nodes[0], node(gone)), balancer(*nodes[1], node(gone), listener=HTTPS)]
    )
    serves = all(
        condition is Condition.ENABLED and status is NodeStatus.ONLINE
        for condition, status in zip(conditions, statuses, strict=True)
    )

    draining = [
        step
        for step in rotation(goal(count=1), state)
        if isinstance(step, SetCondition) and step.condition is Condition.DRAINING
    ]
    assert bool(draining) == serves


def test_trap_13_load_balancers_that_differ_are_brought_together():
    """Two ports are two objects; where a run has done one and died, the next plans the other alone."""
    new, gone = server(1, Phase.SERVING), old(1)
    added = seen(new, gone, balancers=[balancer(node(new), node(gone)), balancer(node(gone), listener=HTTPS)])
    left = node(gone, Condition.DRAINING)
    removed = seen(
        new,
        gone,
        balancers=[balancer(node(new)), balancer(node(new), left, listener=HTTPS)],
        drained=frozenset({gone.id}),
    )

    assert rotation(goal(count=1), added) == {
        AddNodes(balancer=HTTPS.name, addresses=frozenset({new.private_ip}), port=NODE_PORT)
    }
    assert rotation(goal(count=1), removed) == {
        RemoveNodes(balancer=HTTPS.name, addresses=frozenset({gone.private_ip}))
    }
    assert HTTP.name not in {step.balancer for step in rotation(goal(count=1), removed)}


def test_trap_15_draining_is_counted_on_the_server():
    """A load balancer's statistics are minutes old and of the whole: the servers are asked."""
    world = World()
    deploying.deploy(goal(generation="20260101-000000-aa"), world.site())
    world.calls.clear()
    deploying.deploy(goal(), world.site())

    assert world.calls.count("connections") >= 2
    assert not [name for name in vars(Balancers) if "stat" in name]


def test_trap_31_versions_that_break_each_other_are_shut_out():
    """Fabric 3.2.2 takes an invoke that breaks `-H`, and paramiko 5.0.0 breaks agent keys."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {Requirement(line).name: Requirement(line).specifier for line in project["dependencies"]}

    assert not pinned["fabric"].contains("3.2.2")
    assert not pinned["invoke"].contains("3.0.3")
    assert not pinned["paramiko"].contains("5.0.0")
    assert pinned["paramiko"].contains("5.1.0")
