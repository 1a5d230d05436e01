"""The forecast: the whole way to the goal, read from the planner."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from tasks.rollout.forecast import forecast
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition
from tasks.rollout.planning import plan
from tasks.rollout.steps import (
    AddNodes,
    AwaitDrained,
    Check,
    CreateBalancer,
    CreateServer,
    MarkServing,
    Migrate,
    ProbeNew,
    RemoveNodes,
    RetireServer,
    SetCondition,
    SetUp,
    TestApp,
)
from tests.rollout.builders import HTTPS, balancer, both, goal, node, old, seen, server


def kinds(rounds):
    """Give the kinds of steps, round by round."""
    return [{type(step) for step in bag} for bag in rounds]


def test_a_first_deploy_goes_from_nothing_to_two_load_balancers():
    """Boot, set up, migrate, test, check, then the load balancers and their nodes."""
    rounds = forecast(partial(plan, goal()), goal(), seen())

    assert kinds(rounds) == [
        {CreateServer},
        {SetUp},
        {Migrate, TestApp},
        {TestApp, Check},
        {Check},
        {CreateBalancer},
        {CreateBalancer, AddNodes},
        {AddNodes},
        {MarkServing},
    ]


def test_a_later_deploy_ends_with_the_old_servers_gone():
    """New nodes in, old ones drained, removed and deleted, in this order."""
    state = seen(old(1), old(2), balancers=both(node(old(1)), node(old(2))))

    rounds = forecast(partial(plan, goal()), goal(), state)

    assert kinds(rounds)[-6:] == [
        {AddNodes},
        {MarkServing, ProbeNew},
        {SetCondition},
        {AwaitDrained},
        {RemoveNodes},
        {RetireServer},
    ]


@given(
    phases=st.lists(st.sampled_from(Phase), max_size=4),
    olds=st.integers(min_value=0, max_value=3),
    conditions=st.lists(st.sampled_from([None, *Condition]), min_size=6, max_size=6),
)
def test_from_any_state_the_goal_is_reached(phases, olds, conditions):
    """Whatever a crash has left behind, the planner comes to an end, and then only the new generation serves."""
    new = [
        server(slot, phase, migrated=slot == 1 and phase.reached(Phase.TESTED)) for slot, phase in enumerate(phases, 1)
    ]
    gone = [old(slot) for slot in range(1, olds + 1)]
    nodes = [node(one, condition) for one, condition in zip([*gone, *new], conditions, strict=False) if condition]
    state = seen(*new, *gone, balancers=[balancer(*nodes), balancer(listener=HTTPS)])

    rounds = forecast(partial(plan, goal(count=4)), goal(count=4), state)

    assert len(rounds) < 20
    retired = {step.server_id for bag in rounds for step in bag if isinstance(step, RetireServer)}
    assert retired == {one.id for one in gone}
