"""Deleting a server: past the guard, without losing the claim that it may carry, until it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tasks.errors import Immutable, NotFound, TimedOut, TooFew
from tasks.rollout.claiming import Claimant
from tasks.rollout.guard import Guard
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Gone, Observation
from tasks.rollout.persisting import surely
from tasks.rollout.ports import Compute
from tasks.rollout.rotating import is_sent_to
from tasks.waiting import Clock, Patience, until


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """Deletes servers. `limit` is in seconds."""

    compute: Compute
    guard: Guard
    claim: Claimant | None
    clock: Clock
    limit: float

    def delete(self, server: Server, seen: Observation) -> Gone:
        """Delete a server that serves no traffic, and wait until it is gone.

        :raises GuardRefused: it must not be deleted.
        :raises TimedOut: it is still there after the limit.
        """
        try:
            self._allowed(server)
        except NotFound:
            return Gone(server_id=server.id)
        if self.claim:
            self.claim.leave(server, _heirs(server, seen))
        what = f"{server.name} to be deleted"
        surely(partial(self.compute.delete, server.id), what=what, clock=self.clock)
        until(lambda: self._gone(server), what=what, patience=Patience(limit=self.limit), clock=self.clock)
        return Gone(server_id=server.id)

    def _allowed(self, server: Server) -> None:
        """Wait for the guard while nodes flap; what it refuses for good is raised at once."""
        refusals: list[TooFew] = []

        def look() -> bool | None:
            try:
                self.guard.allow_delete(server)
            except TooFew as refusal:
                refusals.append(refusal)
                return None
            return True

        try:
            until(look, what="enough other servers to serve", patience=Patience(limit=self.limit), clock=self.clock)
        except TimedOut:
            raise refusals[-1] from None

    def _gone(self, server: Server) -> bool | None:
        try:
            status = self.compute.server(server.id).status
        except NotFound:
            return True
        except Immutable:
            return None
        return True if status is ServerStatus.DELETED else None


def _heirs(leaving: Server, seen: Observation) -> list[Server]:
    """Give the servers that may carry the claim on; first those that serve, of the newest generation: they stay."""
    able = [one for one in seen.servers if one.id != leaving.id and one.status is ServerStatus.ACTIVE]
    return sorted(able, key=lambda server: (is_sent_to(server, seen), server.generation), reverse=True)
