"""Doing a step on a server that is there: bringing it from stage to stage, draining, parking, retiring it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tasks.errors import ConnectionLost, HostError, NotFound, WrongHostKey
from tasks.rollout import steps
from tasks.rollout.deleting import Deletion
from tasks.rollout.goal import Goal
from tasks.rollout.labels import Phase
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Distrusted, Drained, Gone, Observation
from tasks.rollout.persisting import surely
from tasks.rollout.ports import Compute, Hosts
from tasks.rollout.rebooting import reboot
from tasks.waiting import Clock, Patience, until


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
    deletion: Deletion
    clock: Clock
    limits: Limits
    say: Callable[[str], None]

    def perform(self, step: steps.OnServer, seen: Observation) -> Server | Distrusted | Drained | Gone:
        """Perform a step on a server."""
        match step:
            case steps.AwaitDrained():
                return self.await_drained(step, seen)
            case steps.Seal():
                return self.seal(step, seen)
            case steps.Park():
                return self.park(step, seen)
            case steps.Keep():
                return self.keep(step, seen)
            case steps.RetireServer():
                return self.retire(step, seen)
            case _:
                return self.stage(step, seen)

    def stage(self, step: steps.OnServer, seen: Observation) -> Server | Distrusted:
        """Bring a server through its next stage, and write to its metadata that it has passed."""
        server = _known(step.server_id, seen)
        try:
            after = self._staged(step, server)
        except WrongHostKey as error:
            return Distrusted(server_id=server.id, error=error)
        except ConnectionLost as error:
            if isinstance(step, steps.Migrate):
                raise  # they may still run: nobody begins them a second time
            return Distrusted(server_id=server.id, error=error)
        return server if after == server else self._labelled(after)

    def seal(self, step: steps.Seal, seen: Observation) -> Server:
        """Lock everybody out of a server, and write that to its metadata."""
        server = _known(step.server_id, seen)
        self.hosts.seal(server)
        return self._labelled(server, sealed=True)

    def _staged(self, step: steps.OnServer, server: Server) -> Server:
        if isinstance(step, steps.MarkServing):
            serving = server.passed(Phase.SERVING)
            return replace(serving, labels=replace(serving.labels, parked=""))
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

    def park(self, step: steps.Park, seen: Observation) -> Server:
        """Keep a server that has left the rotation, and write to its metadata until when."""
        server = _known(step.server_id, seen)
        standby = self.goal.pace.standby
        until_when = standby if isinstance(standby, str) else _written(self.compute.now() + timedelta(seconds=standby))
        return self._labelled(server, parked=until_when)

    def keep(self, step: steps.Keep, seen: Observation) -> Server:
        """Keep a server that failed, and write to its metadata until when."""
        until_when = self.compute.now() + timedelta(seconds=self.goal.keep_failed)
        return self._labelled(_known(step.server_id, seen), kept=_written(until_when))

    def retire(self, step: steps.RetireServer, seen: Observation) -> Gone:
        """Delete a server that serves no traffic, and wait until it is gone."""
        return self.deletion.delete(_known(step.server_id, seen), seen)

    def _labelled(self, server: Server, **changes: Any) -> Server:
        after = replace(server, labels=replace(server.labels, **changes))
        surely(partial(self.compute.label, after), what=f"{server.name} to be labelled", clock=self.clock)
        return after


def _written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


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
