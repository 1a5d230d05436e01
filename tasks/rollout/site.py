"""What a rollout works with: one app in one environment, and the ports to its cloud and its servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tasks.errors import TimedOut, Unfinished
from tasks.rollout.claiming import Claimant
from tasks.rollout.claims import BEAT_SECONDS, WAITING, Claim
from tasks.rollout.contenders import Operator, at_work, dead, living, refusal
from tasks.rollout.deleting import Deletion
from tasks.rollout.events import Listen, Observed, Said
from tasks.rollout.goal import Goal
from tasks.rollout.guard import Guard, Stakes
from tasks.rollout.hooks import HookActs
from tasks.rollout.loop import Loop, Perform, ThreadWorkers, Workers
from tasks.rollout.model import Listener
from tasks.rollout.observation import Observation
from tasks.rollout.on_balancers import BalancerActs
from tasks.rollout.on_builds import BuildActs
from tasks.rollout.on_servers import Limits, ServerActs
from tasks.rollout.performing import Performer
from tasks.rollout.ports import Balancers, Compute, Hooks, Hosts, Watcher
from tasks.rollout.watching import WatchActs
from tasks.waiting import Clock, Patience, beating, until

Beating = Callable[[Callable[[], None], float], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Site:
    """One app in one environment on one cloud.

    :param wait: how long to wait for another operator's claim, in seconds.
    :param adopt: load balancers that somebody has made by hand are taken over.
    """

    app: str
    environment: str
    listeners: tuple[Listener, ...]
    compute: Compute
    balancers: Balancers
    hosts: Hosts
    watcher: Watcher
    hooks: Hooks
    operator: Operator
    clock: Clock
    limits: Limits
    listen: Listen
    wait: float = 0.0
    adopt: bool = False
    workers: Callable[[Perform], Workers] = ThreadWorkers
    beating: Beating = beating

    def observe(self) -> Observation:
        """Look at our servers and at the load balancers of our listeners."""
        seen = Observation.of(self.compute.servers(), self.balancers.find(self.listeners))
        self.listen(Observed(at=self.clock.now(), seen=seen))
        return seen

    def observe_alone(self) -> Observation:
        """Look, when no other operator is at work; with `wait`, wait until then.

        :raises Claimed: somebody else is.
        """
        seen = self.observe()
        others = self.living(seen)
        if not others:
            return seen
        if not self.wait:
            raise refusal(others[0], self.compute)
        self.say(f"{at_work(others[0], self.compute)}; waiting for up to {self.wait:g} s")
        return self._awaited()

    def _awaited(self) -> Observation:
        others: tuple[Claim, ...] = ()

        def look() -> Observation | None:
            nonlocal others
            seen = self.observe()
            others = self.living(seen)
            return None if others else seen

        patience = Patience(limit=self.wait, first=1.0)
        try:
            return until(look, what="others to end their work", patience=patience, clock=self.clock)
        except TimedOut:
            raise refusal(others[0], self.compute) from None

    def living(self, seen: Observation) -> tuple[Claim, ...]:
        """Give the claims of operators that are at work."""
        return living(seen.everyone, self.compute, self.operator)

    def dead(self, seen: Observation) -> tuple[Claim, ...]:
        """Give the claims of operators that were interrupted, the latest first."""
        return dead(seen.everyone, self.compute, self.operator)

    @contextmanager
    def claiming(self, verb: str, generation: str) -> Iterator[Claimant]:
        """Give a claim that can be taken, whose heartbeat beats for as long as the context lasts.

        It is given back at the end, unless something remains unfinished: then the next operator finds it, dead.
        """
        now = self.compute.now()
        claim = Claim(
            id=self.operator.new_id(),
            number=WAITING,
            verb=verb,
            generation=generation,
            owner=self.operator.owner,
            process=self.operator.process,
            since=now,
            beat=now,
        )
        claimant = Claimant(claim, operator=self.operator, compute=self.compute, clock=self.clock, say=self.say)
        with self.beating(claimant.beat, BEAT_SECONDS):
            try:
                yield claimant
            except Unfinished:
                raise
            except Exception:
                claimant.withdraw()
                raise
            claimant.withdraw()

    def loop(self, goal: Goal, seen: Observation, stakes: Stakes) -> Loop:
        """Give a loop that performs steps towards a goal, beginning with what was seen."""
        return Loop(seen, workers=self.workers(self._performer(goal, stakes)), clock=self.clock, listen=self.listen)

    def interrupt(self) -> None:
        """End everything that waits or runs on servers; `resume` allows it again."""
        self.clock.stop()
        self.hosts.stop()
        self.watcher.stop()
        self.hooks.stop()

    def resume(self) -> None:
        """Allow waiting and talking to servers again, over new connections."""
        self.clock.resume()
        self.hosts.close()
        self.watcher.close()
        self.hooks.close()

    def say(self, text: str) -> None:
        """Tell the operator something that is no step."""
        self.listen(Said(at=self.clock.now(), text=text))

    def _performer(self, goal: Goal, stakes: Stakes) -> Perform:
        guard = Guard(
            app=self.app,
            environment=self.environment,
            listeners=self.listeners,
            compute=self.compute,
            balancers=self.balancers,
            stakes=stakes,
        )
        deletion = Deletion(
            compute=self.compute, guard=guard, claim=stakes.claim, clock=self.clock, limit=self.limits.delete
        )
        on_servers = ServerActs(
            goal=goal,
            compute=self.compute,
            hosts=self.hosts,
            deletion=deletion,
            clock=self.clock,
            limits=self.limits,
            say=self.say,
        )
        return Performer(
            goal=goal,
            claim=stakes.claim,
            compute=self.compute,
            balancers=self.balancers,
            on_builds=self._builds(goal, deletion, stakes),
            on_servers=on_servers,
            on_balancers=BalancerActs(
                balancers=self.balancers, guard=guard, clock=self.clock, limit=self.limits.balancer
            ),
            watching=WatchActs(
                goal=goal, balancers=self.balancers, hosts=self.hosts, watcher=self.watcher, clock=self.clock
            ),
            on_hooks=HookActs(goal=goal, hooks=self.hooks, say=self.say),
        )

    def _builds(self, goal: Goal, deletion: Deletion, stakes: Stakes) -> BuildActs:
        return BuildActs(
            goal=goal,
            compute=self.compute,
            deletion=deletion,
            claim=stakes.claim,
            clock=self.clock,
            limit=self.limits.build,
            say=self.say,
        )
