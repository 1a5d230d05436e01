"""Doing a step on a server that is not there yet: asking for it, watching its build, replacing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tasks.errors import BuildFailed, NotFound, QuotaExceeded, TimedOut, Uncertain
from tasks.rollout import steps
from tasks.rollout.claiming import Claimant
from tasks.rollout.deleting import Deletion
from tasks.rollout.goal import Goal
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import BuildDied, Fact, Observation
from tasks.rollout.ports import Compute
from tasks.rollout.slots import DEAD
from tasks.waiting import Clock, Patience, until

SETTLED = {ServerStatus.ACTIVE, *DEAD}
LOST_SECONDS = 10.0
"""How long to look for a server whose create call was not answered, before another one is asked for."""


@dataclass(frozen=True, kw_only=True)
class BuildActs:
    """Performs the steps that make servers for one goal. `limit` is in seconds, for one build."""

    goal: Goal
    compute: Compute
    deletion: Deletion
    claim: Claimant | None
    clock: Clock
    limit: float
    say: Callable[[str], None]

    def create(self, step: steps.CreateServer) -> tuple[Fact, ...]:
        """Ask for a server. When the answer is lost, look for its slot before anything else: it may exist.

        Where no such server turns up for a while, it counts as a build that died. Should it turn up later than that, it
        is the second one of its slot, and deleted.
        """
        request = self.goal.request(step.slot)
        if self.claim:
            request = replace(request, claims=self.claim.at_birth(step.slot))
        try:
            return (self.compute.create(request),)
        except Uncertain as lost:
            found = self._turned_up(step.slot)
            state = "but it exists and is used" if found else "and there is no such server: it is asked for again"
            why = f"HTTP {lost.status}" if lost.status else "none came"
            self.say(f"the answer to creating {request.name} was lost ({why}), {state}")
            return (found,) if found else (BuildDied(slot=step.slot),)

    def give_up(self, step: steps.GiveUp) -> None:
        """Fail, with what the cloud said of the last build."""
        raise BuildFailed(
            f"slot {step.slot} got no server that can be used, {self.goal.build_attempts} times; "
            f"what was wrong with the last one: {step.fault}",
            advice="Look at the image, the flavor and the quota; `fab deploy` tries again.",
        )

    def give_up_room(self, step: steps.GiveUpRoom) -> None:
        """Fail: the new servers do not fit beside the old ones, and none of those can be spared."""
        raise QuotaExceeded(
            f"there is no room for {step.missing} more new servers, and no old one can leave before they serve",
            advice="Raise the quota or the node limit of the load balancer, or deploy fewer servers (`--count`).",
        )

    def watch_builds(self, seen: Observation) -> tuple[Fact, ...]:
        """Give the servers that have settled since. What hangs in BUILD beyond the limit is given as failed."""
        known = {server.id for server in seen.generation(self.goal.generation) if server.status in SETTLED}
        deadline = self.clock.now() + self.limit

        def look() -> tuple[Fact, ...] | None:
            fresh = [server for server in self._generation() if server.id not in known]
            if self.clock.now() >= deadline:
                fresh = [_hung(server, self.limit) for server in fresh]
            return tuple(server for server in fresh if server.status in SETTLED) or None

        # The wait ends by itself at the deadline; the longer limit is for a list that is empty even then.
        return until(look, what="servers to be built", patience=Patience(limit=self.limit + 30), clock=self.clock)

    def replace_build(self, step: steps.ReplaceBuild, seen: Observation) -> tuple[Fact, ...]:
        """Delete a server whose build failed, or that cannot be trusted."""
        server = seen.server(step.server_id)
        if server is None:
            raise NotFound(f"server {step.server_id} has vanished")
        distrust = seen.distrusted.get(server.id)
        why = distrust.problem if distrust else f"it could not be built ({server.fault or server.status})"
        self.say(f"{server.name} is replaced: {why}")
        return (self.deletion.delete(server, seen), BuildDied(slot=step.slot))

    def _turned_up(self, slot: int) -> Server | None:
        def look() -> Server | None:
            return next((server for server in self._generation() if server.labels.slot == slot), None)

        try:
            return until(look, what=f"slot {slot}", patience=Patience(limit=LOST_SECONDS), clock=self.clock)
        except TimedOut:
            return None

    def _generation(self) -> tuple[Server, ...]:
        listed = (server for server in self.compute.servers() if server.generation == self.goal.generation)
        return tuple(server for server in listed if not server.labels.kept)


def _hung(server: Server, limit: float) -> Server:
    if server.status in SETTLED:
        return server
    return replace(server, status=ServerStatus.ERROR, fault=f"still {server.status} after {limit:g} s")
