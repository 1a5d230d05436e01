"""Doing a step on a load balancer: one change at a time, and only when it takes changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.errors import (
    CloudError,
    CloudUnreachable,
    Conflict,
    DeployError,
    Immutable,
    NotFound,
    TimedOut,
    TooFew,
    Uncertain,
)
from tasks.rollout import steps
from tasks.rollout.guard import Guard
from tasks.rollout.model import BalancerStatus, Condition, LoadBalancer, Node, NodeStatus
from tasks.rollout.observation import Observation
from tasks.rollout.ports import Balancers
from tasks.waiting import Clock, Patience, until

LOOK_AGAIN = (Immutable, Uncertain, CloudUnreachable, Conflict, TooFew)
"""What a change may meet that is no reason to fail: the load balancer is busy, an answer was lost, a node flaps."""

LOST_SECONDS = 15.0
"""How long to look for what was asked for when the answer was lost."""


@dataclass(frozen=True, kw_only=True)
class BalancerActs:
    """Performs the steps on load balancers. Waiting lasts at most `limit` seconds each time."""

    balancers: Balancers
    guard: Guard
    clock: Clock
    limit: float

    def create(self, step: steps.CreateBalancer, seen: Observation) -> LoadBalancer:
        """Create a load balancer, on the virtual IPs that it is to share, and wait until it is ACTIVE."""
        self.guard.allow_change()
        shared = self._active(_known(step.share_with, seen)) if step.share_with else None
        try:
            return self._active(self.balancers.create(step.listener, shared))
        except Uncertain as lost:
            return self._active(self._made_all_the_same(step, lost))

    def _made_all_the_same(self, step: steps.CreateBalancer, lost: Uncertain) -> LoadBalancer:
        def look() -> LoadBalancer | None:
            return next(iter(self.balancers.find((step.listener,))), None)

        what = f"load balancer {step.listener.name}, which may have been created"
        try:
            return until(look, what=what, patience=Patience(limit=LOST_SECONDS), clock=self.clock)
        except TimedOut:
            raise lost from None

    def perform(self, step: steps.OnBalancer, seen: Observation) -> LoadBalancer:
        """Perform a step on a load balancer, and give it as it is afterwards."""
        balancer = _known(step.balancer, seen)
        match step:
            case steps.AddNodes():
                return self._change(balancer, lambda now: self._add(step, now, seen))
            case steps.SetCondition():
                return self._change(balancer, lambda now: self._set_condition(step, now, seen))
            case steps.RemoveNodes():
                return self._change(balancer, lambda now: self._remove(step, now, seen))
            case steps.RemoveGone():
                return self._change(balancer, lambda now: self._remove_gone(step, now))
            case steps.AwaitOnline():
                return self._look(balancer, lambda now: _online(now, step), what="its new nodes to be ONLINE")
        raise TypeError(step)

    def _add(self, step: steps.AddNodes, now: LoadBalancer, seen: Observation) -> None:
        self.guard.allow_change()
        names = {server.private_ip: server.name for server in seen.servers}
        missing = [address for address in sorted(step.addresses) if now.node_at(address, step.port) is None]
        if missing:
            self.balancers.add_nodes(now.id, {address: names.get(address, "") for address in missing}, step.port)

    def _set_condition(self, step: steps.SetCondition, now: LoadBalancer, seen: Observation) -> None:
        if step.condition is Condition.ENABLED:
            self.guard.allow_change()
        else:
            ours = frozenset(server.private_ip for server in seen.servers if server.private_ip)
            self.guard.allow_draining(step.addresses, now, ours)
        others = [node.id for node in _nodes(now, step) if node.condition is not step.condition]
        if others:
            self.balancers.set_condition(now.id, others, step.condition)

    def _remove(self, step: steps.RemoveNodes, now: LoadBalancer, seen: Observation) -> None:
        self.guard.allow_removal(seen.servers, step.addresses, now)
        leaving = [node.id for node in _nodes(now, step)]
        if leaving:
            self.balancers.remove_nodes(now.id, leaving)

    def _remove_gone(self, step: steps.RemoveGone, now: LoadBalancer) -> None:
        self.guard.allow_removal_of_gone(step.addresses, now)
        self.balancers.remove_nodes(now.id, [node.id for node in _nodes(now, step)])

    def _change(self, balancer: LoadBalancer, act: Callable[[LoadBalancer], None]) -> LoadBalancer:
        """Make one change: wait until the load balancer takes it, and until it is done.

        Each attempt looks first what is still to be done, so that a change whose answer was lost is not made twice.
        """
        setbacks: list[DeployError] = []

        def attempt() -> bool | None:
            try:
                act(self._active(balancer))
            except LOOK_AGAIN as setback:
                setbacks.append(setback)
                return None
            return True

        patience = Patience(limit=self.limit)
        try:
            until(attempt, what=f"{balancer.name} to take a change", patience=patience, clock=self.clock)
        except TimedOut as late:
            raise setbacks[-1] from late
        return self._active(balancer)

    def _active(self, balancer: LoadBalancer) -> LoadBalancer:
        return self._look(balancer, lambda _: True, what="it to be ACTIVE")

    def _look(self, balancer: LoadBalancer, enough: Callable[[LoadBalancer], bool], *, what: str) -> LoadBalancer:
        def look() -> LoadBalancer | None:
            now = self.balancers.show(balancer.id)
            if now.status in {BalancerStatus.ERROR, BalancerStatus.DELETED}:
                raise CloudError(
                    f"load balancer {now.name} ({now.id}) is in status {now.status}; waiting does not mend that",
                    advice="Have the cloud's support look at it, or delete it: a deploy creates a new one.",
                )
            return now if now.status is BalancerStatus.ACTIVE and enough(now) else None

        waited = f"load balancer {balancer.name} ({balancer.id}): {what}"
        return until(look, what=waited, patience=Patience(limit=self.limit), clock=self.clock)


def _known(name: str, seen: Observation) -> LoadBalancer:
    balancer = seen.balancer(name)
    if balancer is None:
        raise NotFound(f"load balancer {name} has vanished")
    return balancer


def _online(balancer: LoadBalancer, step: steps.AwaitOnline) -> bool:
    nodes = _nodes(balancer, step)
    return len(nodes) >= len(step.addresses) and all(node.status is NodeStatus.ONLINE for node in nodes)


def _nodes(now: LoadBalancer, step: steps.OnBalancer) -> list[Node]:
    return [node for node in now.nodes if node.address in step.addresses]
