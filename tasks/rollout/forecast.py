"""What a deploy would do, start to end, without doing it: the planner, fed with what each step is expected to show.

This is how `plan` and `deploy` are the same function: one reads the steps, the other performs them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tasks.rollout import steps
from tasks.rollout.goal import Goal
from tasks.rollout.labels import Phase
from tasks.rollout.loop import Planner
from tasks.rollout.model import BalancerStatus, Condition, LoadBalancer, Node, NodeStatus, Server, ServerStatus
from tasks.rollout.observation import Drained, Fact, Gone, Held, HookRan, Moment, Observation, Probed, Watched

Rounds = tuple[frozenset[steps.Step], ...]

REACHES = {
    steps.SetUp: Phase.SET_UP,
    steps.TestApp: Phase.TESTED,
    steps.Check: Phase.READY,
    steps.MarkServing: Phase.SERVING,
}


class CannotGoOn(Exception):
    """A plan that ends in giving up; the step says why."""

    def __init__(self, step: steps.GiveUp | steps.GiveUpRoom) -> None:
        super().__init__(f"a forecast cannot go on after {step}")
        self.step = step


def forecast(planner: Planner, goal: Goal, seen: Observation) -> Rounds:
    """Give all steps from here to the goal, in rounds: those of one round could run side by side.

    Where the planner gives up, that is in the last round.
    """
    return foretell(planner, goal, seen)[0]


def foretell(planner: Planner, goal: Goal, seen: Observation) -> tuple[Rounds, Observation]:
    """Give the forecast, and what is expected to be seen then."""
    rounds: list[frozenset[steps.Step]] = []
    while bag := planner(seen):
        rounds.append(bag)
        try:
            for step in steps.in_order(bag):
                seen = seen.updated(*expected(step, goal, seen))
        except CannotGoOn:
            break
    return tuple(rounds), seen


def expected(step: steps.Step, goal: Goal, seen: Observation) -> tuple[Fact, ...]:  # noqa: PLR0911  one return a kind
    """Give what a step shows when all goes well.

    :raises CannotGoOn: the planner gives up here.
    """
    match step:
        case steps.Discard():
            return ()
        case steps.TakeClaim():
            others = tuple(server for server in seen.servers if server.generation != goal.generation)
            return (Held(generation=goal.generation, others=others, balancers=seen.balancers),)
        case steps.ProbeOld():
            return (Probed(server_id=step.server_id, moment=step.moment, problem=""),)
        case steps.ProbeNew():
            return (Probed(server_id=step.server_id, moment=Moment.ROTATED, problem=""),)
        case steps.Watch():
            return (Watched(count=step.count),)
        case steps.RunHook():
            return (HookRan(hook=step.hook),)
        case steps.GiveUp() | steps.GiveUpRoom():
            raise CannotGoOn(step)
        case _:
            return _expected(step, goal, seen)


def _expected(step: steps.Step, goal: Goal, seen: Observation) -> tuple[Fact, ...]:  # noqa: PLR0911  one return a kind
    match step:
        case steps.CreateServer():
            return (_created(step.slot, goal),)
        case steps.WatchBuilds():
            waiting = (seen.server(server_id) for server_id in step.server_ids)
            return tuple(replace(server, status=ServerStatus.ACTIVE) for server in waiting if server)
        case steps.ReplaceBuild() | steps.RetireServer():
            return (Gone(server_id=step.server_id),)
        case steps.AwaitDrained():
            return (Drained(server_id=step.server_id, cut=0),)
        case steps.CreateBalancer():
            return (_balancer(step),)
        case steps.OnBalancer():
            balancer = seen.balancer(step.balancer)
            return (replace(balancer, nodes=_nodes(step, balancer)),) if balancer else ()
        case steps.OnServer():
            server = seen.server(step.server_id)
            return (_staged(step, server, goal),) if server else ()
    raise TypeError(step)


def _created(slot: int, goal: Goal) -> Server:
    request = goal.request(slot)
    return Server(
        id=request.name,
        name=request.name,
        status=ServerStatus.ACTIVE,
        private_ip=request.name,  # as unique as an address, and a plan reads well with it,
        created=datetime.max.replace(tzinfo=UTC),
        labels=request.labels,
    )


def _balancer(step: steps.CreateBalancer) -> LoadBalancer:
    return LoadBalancer(
        id=step.listener.name,
        name=step.listener.name,
        virtual_ips=(),
        port=step.listener.port,
        protocol=step.listener.protocol,
        status=BalancerStatus.ACTIVE,
    )


def _staged(step: steps.OnServer, server: Server, goal: Goal) -> Server:
    if isinstance(step, steps.Migrate):
        return replace(server, labels=replace(server.labels, migrated=True))
    if isinstance(step, steps.Seal):
        return replace(server, labels=replace(server.labels, sealed=True))
    if isinstance(step, steps.Park):
        return replace(server, labels=replace(server.labels, parked=str(goal.pace.standby)))
    if isinstance(step, steps.Keep):
        return replace(server, labels=replace(server.labels, kept=str(goal.keep_failed)))
    if isinstance(step, steps.MarkServing):
        server = replace(server, labels=replace(server.labels, parked=""))
    return server.passed(REACHES[type(step)])


def _nodes(step: steps.OnBalancer, balancer: LoadBalancer) -> tuple[Node, ...]:
    inside = tuple(node for node in balancer.nodes if node.address in step.addresses)
    outside = tuple(node for node in balancer.nodes if node.address not in step.addresses)
    match step:
        case steps.AddNodes():
            return (*balancer.nodes, *(_node(address, step.port) for address in sorted(step.addresses)))
        case steps.SetCondition():
            return (*outside, *(replace(node, condition=step.condition) for node in inside))
        case steps.RemoveNodes():
            return outside
        case _:
            return (*outside, *(replace(node, status=NodeStatus.ONLINE) for node in inside))


def _node(address: str, port: int) -> Node:
    return Node(id=address, address=address, port=port, condition=Condition.ENABLED, status=NodeStatus.ONLINE)
