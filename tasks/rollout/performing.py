"""Doing a step: who does which, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import Claimed, ClaimLost, Conflict, NotFound
from tasks.rollout import steps
from tasks.rollout.claiming import Claimant
from tasks.rollout.goal import Goal
from tasks.rollout.hooks import HookActs
from tasks.rollout.observation import Fact, Held, Observation
from tasks.rollout.on_balancers import BalancerActs
from tasks.rollout.on_builds import BuildActs
from tasks.rollout.on_servers import ServerActs
from tasks.rollout.ports import Balancers, Compute
from tasks.rollout.reverting import in_rotation
from tasks.rollout.watching import WatchActs


@dataclass(frozen=True, kw_only=True)
class Performer:
    """Performs any step. Calling it gives what was seen, or raises a DeployError."""

    goal: Goal
    claim: Claimant | None
    compute: Compute
    balancers: Balancers
    on_builds: BuildActs
    on_servers: ServerActs
    on_balancers: BalancerActs
    watching: WatchActs
    on_hooks: HookActs

    def __call__(self, step: steps.Step, seen: Observation) -> tuple[Fact, ...]:
        """Perform one step."""
        match step:
            case steps.TakeClaim():
                return self._take_claim(step, seen)
            case steps.Discard():
                self.compute.discard(step.spare)
                return ()
            case steps.OnSlot() | steps.GiveUpRoom() | steps.WatchBuilds() | steps.ReplaceBuild():
                return self._build(step, seen)
            case _:
                return (self._perform(step, seen),)

    def _perform(self, step: steps.Step, seen: Observation) -> Fact:  # noqa: PLR0911  one return a kind
        match step:
            case steps.ProbeOld():
                return self.watching.probe_old(step, seen)
            case steps.ProbeNew():
                return self.watching.probe_new(step, seen)
            case steps.Watch():
                return self.watching.watch(step, seen)
            case steps.RunHook():
                return self.on_hooks.run(step, seen)
            case steps.CreateBalancer():
                return self.on_balancers.create(step, seen)
            case steps.OnBalancer():
                return self.on_balancers.perform(step, seen)
            case steps.OnServer():
                return self.on_servers.perform(step, seen)
        raise TypeError(step)

    def _take_claim(self, step: steps.TakeClaim, seen: Observation) -> tuple[Fact, ...]:
        """Take the claim, and look again: nothing may have changed since it was free.

        Nothing is found out where the server that was to carry it is being deleted: another one is chosen then.

        :raises Claimed: somebody else has it, or had it meanwhile.
        """
        if self.claim is None:
            raise ClaimLost("this task takes no claim, so it changes nothing that serves")
        try:
            self.claim.take(step.server_id)
        except (NotFound, Conflict):
            return ()
        others = tuple(one for one in self.compute.servers() if one.generation != self.goal.generation)
        held = Held(
            generation=self.goal.generation,
            others=others,
            balancers=self.balancers.find(self.goal.listeners),
        )
        if in_rotation(seen.updated(held)).places != in_rotation(seen).places:
            raise Claimed(
                "another deploy has changed what serves meanwhile; nothing was changed", advice="Run it again."
            )
        return (held,)

    def _build(self, step: steps.Step, seen: Observation) -> tuple[Fact, ...]:
        match step:
            case steps.CreateServer():
                return self.on_builds.create(step)
            case steps.GiveUp():
                self.on_builds.give_up(step)
            case steps.GiveUpRoom():
                self.on_builds.give_up_room(step)
            case steps.WatchBuilds():
                return self.on_builds.watch_builds(seen)
            case steps.ReplaceBuild():
                return self.on_builds.replace_build(step, seen)
        return ()
