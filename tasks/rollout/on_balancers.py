"""Doing a step on a load balancer: one change at a time, and only when it takes changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.errors import CloudError, Immutable, NotFound
from tasks.rollout import steps
from tasks.rollout.guard import Guard
from tasks.rollout.model import BalancerStatus, LoadBalancer, NodeStatus
from tasks.rollout.observation import Observation
from tasks.rollout.ports import Balancers
from tasks.waiting import Clock, Patience, until


@dataclass(frozen=True, kw_only=True)
class BalancerActs:
    """Performs the steps on load balancers. Waiting lasts at most `limit` seconds each time."""

    balancers: Balancers
    guard: Guard
    clock: Clock
    limit: float

    def create(self, step: steps.CreateBalancer, seen: Observation) -> LoadBalancer:
        """Create a load balancer, on the virtual IPs that it is to share, and wait until it is ACTIVE."""
        shared = self._active(_known(step.share_with, seen)) if step.share_with else None
        return self._active(self.balancers.create(step.listener, shared))

    def perform(self, step: steps.OnBalancer, seen: Observation) -> LoadBalancer:
        """Perform a step on a load balancer, and give it as it is afterwards."""
        balancer = _known(step.balancer, seen)
        match step:
            case steps.AddNodes():
                return self._change(balancer, lambda now: self._add(step, now))
            case steps.SetCondition():
                return self._change(balancer, lambda now: self._set_condition(step, now))
            case steps.RemoveNodes():
                return self._change(balancer, lambda now: self._remove(step, now, seen))
            case steps.AwaitOnline():
                return self._look(balancer, lambda now: _online(now, step), what="its new nodes to be ONLINE")
        raise TypeError(step)

    def _add(self, step: steps.AddNodes, now: LoadBalancer) -> None:
        missing = [address for address in sorted(step.addresses) if now.node_at(address, step.port) is None]
        if missing:
            self.balancers.add_nodes(now.id, missing, step.port)

    def _set_condition(self, step: steps.SetCondition, now: LoadBalancer) -> None:
        self.balancers.set_condition(now.id, _ids(now, step), step.condition)

    def _remove(self, step: steps.RemoveNodes, now: LoadBalancer, seen: Observation) -> None:
        self.guard.allow_removal(tuple(s for s in seen.servers if s.private_ip in step.addresses), now)
        self.balancers.remove_nodes(now.id, _ids(now, step))

    def _change(self, balancer: LoadBalancer, act: Callable[[LoadBalancer], None]) -> LoadBalancer:
        """Make one change: wait until the load balancer takes it, and until it is done."""

        def attempt() -> bool | None:
            try:
                act(self._active(balancer))
            except Immutable:
                return None
            return True

        patience = Patience(limit=self.limit)
        until(attempt, what=f"{balancer.name} to take a change", patience=patience, clock=self.clock)
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
    nodes = [node for node in balancer.nodes if node.address in step.addresses]
    return len(nodes) >= len(step.addresses) and all(node.status is NodeStatus.ONLINE for node in nodes)


def _ids(balancer: LoadBalancer, step: steps.OnBalancer) -> list[str]:
    return [node.id for node in balancer.nodes if node.address in step.addresses]
