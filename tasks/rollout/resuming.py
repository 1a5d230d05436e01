"""What a new deploy makes of an interrupted one. Pure.

The rule: what an interrupted deploy has left is *finished* by a deploy of the same release (its servers that passed
everything are used, the others are replaced), and *undone* first by a deploy of another release, as by `abort`. What
was being undone when it was interrupted is undone. What had come so far that its servers all get requests, and what
can not be undone any more, because an old server is gone or not well, or nobody served before, serves on until the new
servers replace it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from tasks.rollout.claims import Claim
from tasks.rollout.goal import Goal
from tasks.rollout.labels import NOBODY, Phase, Predecessor
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Observation
from tasks.rollout.reverting import Live, Place, has_begun, in_place, in_rotation, is_complete
from tasks.rollout.rotating import is_known, is_sent_to, others

UNDOING = ("undo", "abort")


class Way(StrEnum):
    """How a deploy goes on from what it finds."""

    FRESH = "fresh"
    RESUME = "resume"
    UNDO = "undo"


@dataclass(frozen=True, kw_only=True)
class Interruption:
    """A deploy that ended without saying so, the servers of its generation that there are, and who served before it."""

    claim: Claim
    servers: tuple[Server, ...]
    previous: Predecessor

    @property
    def generation(self) -> str:
        """Its generation."""
        return self.claim.generation

    def goal(self, of: Goal) -> Goal:
        """Give what it was to reach, as far as its servers tell; the rest is as in another goal."""
        first = self.servers[0].labels
        count = max(server.labels.slot for server in self.servers)
        return replace(of, generation=first.generation, release=first.release, count=count, previous=self.previous)


def interruption(seen: Observation, dead: Iterable[Claim]) -> Interruption | None:
    """Give the latest interrupted deploy that has left servers; None when there is none."""
    for claim in dead:
        servers = seen.generation(claim.generation)
        if servers:
            return Interruption(claim=claim, servers=servers, previous=_previous(claim, servers, seen))
    return None


def _previous(claim: Claim, servers: tuple[Server, ...], seen: Observation) -> Predecessor:
    """Give who served before an interrupted deploy: its servers say so, but for a rollback, whose servers are older.

    Before that, it was the newest of the others that load balancers know; when they know none any more, it is done.
    """
    if claim.verb != "rollback":
        return servers[0].labels.previous
    rest = [one for one in seen.servers if one.generation != claim.generation and is_known(one, seen)]
    newest = max(rest, key=lambda server: server.generation, default=None)
    if newest is None:
        return NOBODY
    count = len(seen.generation(newest.generation))
    return Predecessor(newest.generation, newest.labels.release, count)


def way(goal: Goal, seen: Observation, found: Interruption | None) -> Way:
    """Say how a deploy with this goal goes on from there."""
    if found is None or _is_over(found.goal(goal), seen):
        return Way.FRESH
    if found.claim.verb not in UNDOING and _is_worth_resuming(goal, found):
        return Way.RESUME
    its = found.goal(goal)
    unfinished = not has_begun(its, seen) or not is_complete(its, seen)
    return Way.UNDO if can_undo(seen, found) and unfinished else Way.FRESH


def _is_over(its: Goal, seen: Observation) -> bool:
    """Say whether nothing was left to do: it is in rotation, alone, and only its claim could not be given back."""
    own = [one for one in seen.generation(its.generation) if is_known(one, seen)]
    marked = all(one.phase is Phase.SERVING and not one.labels.parked for one in own)
    alone = not [one for one in others(its, seen) if is_known(one, seen) or not one.labels.parked]
    shut = not its.seal or all(one.labels.sealed for one in own)
    return marked and alone and shut and is_complete(its, seen)


def can_undo(seen: Observation, found: Interruption) -> bool:
    """Say whether going back is possible: as many as served before are there, or nobody uses the new ones yet."""
    if found.previous.count:
        return len(predecessors(seen, found)) >= found.previous.count
    return not any(is_sent_to(server, seen) for server in found.servers)


def predecessors(seen: Observation, found: Interruption) -> tuple[Server, ...]:
    """Give the servers that served before it and are still there."""
    before = seen.generation(found.previous.generation)
    return tuple(one for one in before if one.status is ServerStatus.ACTIVE and one.phase is Phase.SERVING)


def to_return_to(seen: Observation, found: Interruption) -> Live:
    """Give the places that have to be as they were before it: everywhere, for all that served."""
    before = predecessors(seen, found)
    everywhere = frozenset(Place(server.id, balancer.name) for server in before for balancer in seen.balancers)
    return Live(places=everywhere, online=everywhere)


def live_beside(goal: Goal, seen: Observation) -> Live:
    """Give what is live when a rollout begins.

    In a generation that is begun anew it is what gets requests. Where the generation has nodes already, it is every old
    node that is left, since the interrupted rotation may have begun to drain it.
    """
    if not has_begun(goal, seen):
        return in_rotation(seen)
    return in_place((one for one in seen.servers if one.generation != goal.generation and is_known(one, seen)), seen)


def predecessor(goal: Goal, seen: Observation, live: Live) -> Predecessor:
    """Give who serves when a rollout begins; if only its own servers do, who did before them."""
    servers = [server for server in seen.servers if server.id in live.servers]
    counted = Counter((server.generation, server.labels.release) for server in servers)
    if counted:
        ((generation, release), number), *_ = counted.most_common(1)
        return Predecessor(generation, release, number)
    own = seen.generation(goal.generation)
    return own[0].labels.previous if own else NOBODY


def _is_worth_resuming(goal: Goal, found: Interruption) -> bool:
    fits = all(one.labels.release == goal.release and one.labels.slot <= goal.count for one in found.servers)
    return fits and any(is_finished(server) for server in found.servers)


def with_proof(goal: Goal, seen: Observation) -> Observation:
    """Give the observation with what nodes prove: a server that has one has passed everything.

    Its labels may not say so, where a write of them was lost.
    """
    behind = (one for one in seen.generation(goal.generation) if not one.phase.reached(Phase.READY))
    proven = (server for server in behind if server.status is ServerStatus.ACTIVE and is_known(server, seen))
    return seen.updated(*(replace(one, labels=replace(one.labels, phase=Phase.READY)) for one in proven))


def is_finished(server: Server) -> bool:
    """Say whether a server has passed everything, so that it can be used."""
    return server.status is ServerStatus.ACTIVE and server.phase.reached(Phase.READY)
