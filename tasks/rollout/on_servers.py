"""Doing a step on servers: asking for them, watching their builds, bringing them from stage to stage, retiring them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tasks.errors import BuildFailed, HostError, NotFound, Uncertain, WrongHostKey
from tasks.rollout import steps
from tasks.rollout.goal import Goal
from tasks.rollout.guard import Guard
from tasks.rollout.model import Phase, Server, ServerStatus
from tasks.rollout.observation import BuildDied, Distrusted, Drained, Fact, Gone, Observation
from tasks.rollout.ports import Compute, Hosts
from tasks.rollout.rebooting import reboot
from tasks.waiting import Clock, Patience, until

SETTLED = {ServerStatus.ACTIVE, ServerStatus.ERROR, ServerStatus.SHUTOFF, ServerStatus.DELETED}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long each kind of wait may last, in seconds."""

    build: float
    balancer: float
    drain: float
    delete: float


@dataclass(frozen=True, kw_only=True)
class ServerActs:
    """Performs the steps on the servers of one goal. `say` tells the operator what is no step."""

    goal: Goal
    compute: Compute
    hosts: Hosts
    guard: Guard
    clock: Clock
    limits: Limits
    say: Callable[[str], None]

    def create(self, step: steps.CreateServer) -> Server:
        """Ask for a server. When the answer is lost, look for its slot before anything else: it may exist.

        :raises Uncertain: the answer was lost and no server of that slot is to be seen.
        """
        request = self.goal.request(step.slot)
        try:
            return self.compute.create(request)
        except Uncertain as lost:
            found = [server for server in self._generation() if server.labels.slot == step.slot]
            if not found:
                raise
            self.say(f"the answer to creating {request.name} was lost ({lost.problem}), but it exists and is used")
            return found[0]

    def give_up(self, step: steps.GiveUp) -> None:
        """Fail, with what the cloud said of the last build."""
        raise BuildFailed(
            f"slot {step.slot} got no server that can be used, {self.goal.build_attempts} times; "
            f"what was wrong with the last one: {step.fault}",
            advice="Look at the image, the flavor and the quota; `fab deploy` tries again.",
        )

    def watch_builds(self, seen: Observation) -> tuple[Fact, ...]:
        """Give the servers that have settled since. What hangs in BUILD beyond the limit is given as failed."""
        known = {server.id for server in seen.generation(self.goal.generation) if server.status in SETTLED}
        deadline = self.clock.now() + self.limits.build

        def look() -> tuple[Fact, ...] | None:
            fresh = [server for server in self._generation() if server.id not in known]
            if self.clock.now() >= deadline:
                fresh = [_hung(server, self.limits.build) for server in fresh]
            return tuple(server for server in fresh if server.status in SETTLED) or None

        # The wait ends by itself at the deadline; the longer limit is for a list that is empty even then.
        return until(
            look, what="servers to be built", patience=Patience(limit=self.limits.build + 30), clock=self.clock
        )

    def stage(self, step: steps.OnServer, seen: Observation) -> Server | Distrusted:
        """Bring a server through its next stage, and write to its metadata that it has passed."""
        server = _known(step.server_id, seen)
        try:
            after = self._staged(step, server)
        except WrongHostKey as error:
            return Distrusted(server_id=server.id, error=error)
        if after != server:
            self.compute.label(after)
        return after

    def seal(self, step: steps.Seal, seen: Observation) -> Server:
        """Lock everybody out of a server, and write that to its metadata."""
        server = _known(step.server_id, seen)
        self.hosts.seal(server)
        sealed = replace(server, labels=replace(server.labels, sealed=True))
        self.compute.label(sealed)
        return sealed

    def _staged(self, step: steps.OnServer, server: Server) -> Server:
        if isinstance(step, steps.MarkServing):
            return server.passed(Phase.SERVING)
        _refuse_if_sealed(server)
        match step:
            case steps.SetUp():
                self._set_up(server)
                return server.passed(Phase.SET_UP)
            case steps.Migrate():
                self.hosts.migrate(server)
                return replace(server, labels=replace(server.labels, migrated=True))
            case steps.TestApp():
                self.hosts.test(server)
                return server.passed(Phase.TESTED)
            case steps.Check():
                self.hosts.check(server)
                return server.passed(Phase.READY)
            case _:
                raise TypeError(step)

    def _set_up(self, server: Server) -> None:
        if self.hosts.awaits_reboot(server):
            self.say(f"{server.name} is rebooted: from now on rc.local starts it")
            reboot(server, self.compute, self.clock, limit=self.limits.build)
        self.hosts.set_up(server)

    def await_drained(self, step: steps.AwaitDrained, seen: Observation) -> Drained:
        """Wait until no connection is left, or until the drain limit; then say how many are cut."""
        server = _known(step.server_id, seen)
        if server.status is not ServerStatus.ACTIVE:
            return Drained(server_id=server.id, cut=0)  # what does not run holds no connection
        deadline = self.clock.now() + self.limits.drain

        def look() -> Drained | None:
            left = None if server.labels.sealed else self.hosts.connections(server)
            done = left == 0 or self.clock.now() >= deadline
            return Drained(server_id=server.id, cut=left) if done else None

        patience = Patience(limit=self.limits.drain + 30, longest=1.0)
        drained = until(look, what=f"{server.name} to drain", patience=patience, clock=self.clock)
        if drained.cut != 0:
            self.say(f"{server.name} was given {self.limits.drain:g} s to drain; {_left(drained.cut, server)}")
        return drained

    def replace_build(self, step: steps.ReplaceBuild, seen: Observation) -> tuple[Fact, ...]:
        """Delete a server whose build failed, or that cannot be trusted."""
        server = _known(step.server_id, seen)
        distrust = seen.distrusted.get(server.id)
        why = distrust.problem if distrust else f"it could not be built ({server.fault or server.status})"
        self.say(f"{server.name} is replaced: {why}")
        return (self._delete(server), BuildDied(slot=step.slot))

    def retire(self, step: steps.RetireServer, seen: Observation) -> Gone:
        """Delete a server that serves no traffic, and wait until it is gone."""
        return self._delete(_known(step.server_id, seen))

    def _delete(self, server: Server) -> Gone:
        self.guard.allow_delete(server)
        self.compute.delete(server.id)
        patience = Patience(limit=self.limits.delete)
        until(lambda: self._gone(server), what=f"{server.name} to be deleted", patience=patience, clock=self.clock)
        return Gone(server_id=server.id)

    def _gone(self, server: Server) -> bool | None:
        try:
            status = self.compute.server(server.id).status
        except NotFound:
            return True
        return True if status is ServerStatus.DELETED else None

    def _generation(self) -> tuple[Server, ...]:
        return tuple(server for server in self.compute.servers() if server.labels.generation == self.goal.generation)


def _hung(server: Server, limit: float) -> Server:
    if server.status in SETTLED:
        return server
    return replace(server, status=ServerStatus.ERROR, fault=f"still {server.status} after {limit:g} s")


def _left(cut: int | None, server: Server) -> str:
    if server.labels.sealed:
        return "it is sealed, so its connections could not be counted"
    return "its connections could not be counted" if cut is None else f"{cut} connections were still open"


def _refuse_if_sealed(server: Server) -> None:
    if server.labels.sealed:
        raise HostError(
            f"{server.name} is sealed: nobody can log in to it, and nothing can be run on it",
            server=server.name,
            advice="A sealed server is never changed, only replaced: `fab deploy`.",
        )


def _known(server_id: str, seen: Observation) -> Server:
    server = seen.server(server_id)
    if server is None:
        raise NotFound(f"server {server_id} has vanished")
    return server
