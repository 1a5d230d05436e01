"""Doing a step: who does which, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.rollout import steps
from tasks.rollout.observation import Fact, Observation
from tasks.rollout.on_balancers import BalancerActs
from tasks.rollout.on_servers import ServerActs


@dataclass(frozen=True, kw_only=True)
class Performer:
    """Performs any step. Calling it gives what was seen, or raises a DeployError."""

    on_servers: ServerActs
    on_balancers: BalancerActs

    def __call__(self, step: steps.Step, seen: Observation) -> tuple[Fact, ...]:  # noqa: C901, PLR0911  one case a kind
        """Perform one step."""
        match step:
            case steps.CreateServer():
                return (self.on_servers.create(step),)
            case steps.GiveUp():
                self.on_servers.give_up(step)
                return ()
            case steps.WatchBuilds():
                return self.on_servers.watch_builds(seen)
            case steps.ReplaceBuild():
                return self.on_servers.replace_build(step, seen)
            case steps.AwaitDrained():
                return (self.on_servers.await_drained(step, seen),)
            case steps.Seal():
                return (self.on_servers.seal(step, seen),)
            case steps.RetireServer():
                return (self.on_servers.retire(step, seen),)
            case steps.CreateBalancer():
                return (self.on_balancers.create(step, seen),)
            case steps.OnBalancer():
                return (self.on_balancers.perform(step, seen),)
            case steps.OnServer():
                return (self.on_servers.stage(step, seen),)
