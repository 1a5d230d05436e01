"""What a rollout works with: one app in one environment, and the ports to its cloud and its servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.rollout.events import Listen, Observed, Said
from tasks.rollout.goal import Goal
from tasks.rollout.guard import Guard
from tasks.rollout.loop import Loop, Perform, ThreadWorkers, Workers
from tasks.rollout.model import Listener
from tasks.rollout.observation import Observation
from tasks.rollout.on_balancers import BalancerActs
from tasks.rollout.on_servers import Limits, ServerActs
from tasks.rollout.performing import Performer
from tasks.rollout.ports import Balancers, Compute, Hosts
from tasks.waiting import Clock


@dataclass(frozen=True, kw_only=True)
class Site:
    """One app in one environment on one cloud."""

    app: str
    environment: str
    listeners: tuple[Listener, ...]
    compute: Compute
    balancers: Balancers
    hosts: Hosts
    clock: Clock
    limits: Limits
    listen: Listen
    workers: Callable[[Perform], Workers] = ThreadWorkers

    def observe(self) -> Observation:
        """Look at our servers and at the load balancers of our listeners."""
        seen = Observation(servers=self.compute.servers(), balancers=self.balancers.find(self.listeners))
        self.listen(Observed(at=self.clock.now(), seen=seen))
        return seen

    def loop(self, goal: Goal, seen: Observation) -> Loop:
        """Give a loop that performs steps towards a goal, beginning with what was seen."""
        return Loop(seen, workers=self.workers(self._performer(goal)), clock=self.clock, listen=self.listen)

    def interrupt(self) -> None:
        """End everything that waits or runs on servers; `resume` allows it again."""
        self.clock.stop()
        self.hosts.stop()

    def resume(self) -> None:
        """Allow waiting and talking to servers again, over new connections."""
        self.clock.resume()
        self.hosts.close()

    def say(self, text: str) -> None:
        """Tell the operator something that is no step."""
        self.listen(Said(at=self.clock.now(), text=text))

    def _performer(self, goal: Goal) -> Perform:
        guard = Guard(app=self.app, environment=self.environment, balancers=self.balancers)
        on_servers = ServerActs(
            goal=goal,
            compute=self.compute,
            hosts=self.hosts,
            guard=guard,
            clock=self.clock,
            limits=self.limits,
            say=self.say,
        )
        on_balancers = BalancerActs(balancers=self.balancers, guard=guard, clock=self.clock, limit=self.limits.balancer)
        return Performer(on_servers=on_servers, on_balancers=on_balancers)
