"""The slots of a goal: which server has each, which of them are of no use, and whose turn it is to migrate. Pure.

Every answer is worked out once and kept as long as this value, which is made anew for each plan; it knows no steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tasks.rollout.goal import Goal
from tasks.rollout.labels import Phase
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Moment, Observation
from tasks.rollout.rotating import is_known, is_sent_to

DEAD = {ServerStatus.ERROR, ServerStatus.DELETING, ServerStatus.DELETED, ServerStatus.SHUTOFF}


@dataclass(frozen=True, kw_only=True)
class Slots:
    """The slots of a goal, as they were seen."""

    goal: Goal
    seen: Observation

    @cached_property
    def servers(self) -> dict[int, Server | None]:
        """The server of every slot; the best one, should there be two. Slots that there is no room for are left out.

        What the quota has no room for now is asked for when old servers have made room.
        """
        goal = self.goal
        best_last = sorted(self.seen.generation(goal.generation), key=self._worth, reverse=True)
        found = {server.labels.slot: server for server in best_last}
        missing = [slot for slot in range(1, goal.count + 1) if slot not in found]
        room = len(missing) if goal.bounds.servers is None else max(0, goal.bounds.servers - len(self.seen.servers))
        wanted = {*found, *missing[:room]}
        return {slot: found.get(slot) for slot in range(1, goal.count + 1) if slot in wanted}

    @cached_property
    def doubles(self) -> tuple[Server, ...]:
        """The servers of a slot beyond its best: a create whose answer was lost may have made two."""
        best = {server.id for server in self.servers.values() if server}
        return tuple(server for server in self.seen.generation(self.goal.generation) if server.id not in best)

    @cached_property
    def is_migrated(self) -> bool:
        """Whether the migrations ran: it is written on the leader, and no server gets further without them."""
        generation = self.seen.generation(self.goal.generation)
        return any(one.labels.migrated or one.phase.reached(Phase.READY) for one in generation)

    @cached_property
    def leading(self) -> int:
        """The slot whose server is to migrate: the first that has not been tested yet, as it may be another's turn.

        Where all are tested, the one that had migrated is gone, and it is the first.
        """
        waiting = (slot for slot, one in self.servers.items() if not one or not one.phase.reached(Phase.TESTED))
        return min(waiting, default=min(self.servers, default=0))

    @cached_property
    def unprobed(self) -> tuple[Server, ...]:
        """The servers that serve and have not been asked since the last thing that could have harmed them.

        Before the migrations these are all that serve; after them those that were well before.
        """
        moment, probes = self.moment, self.seen.probes
        serving = (one for one in self.seen.servers if self._is_old(one) and is_sent_to(one, self.seen))
        asked = (one for one in serving if moment is Moment.BEFORE or probes.get((one.id, Moment.BEFORE)) == "")
        return tuple(one for one in asked if (one.id, moment) not in probes)

    @property
    def moment(self) -> Moment:
        """When the old servers are asked now: before the migrations ran, or after."""
        return Moment.AFTER if self.is_migrated else Moment.BEFORE

    def fault(self, server: Server) -> str:
        """Say why a server is of no use and has to be replaced; empty when it is not."""
        if server.id in self.seen.distrusted:
            return self.seen.distrusted[server.id].problem
        return (server.fault or f"status {server.status}") if server.status in DEAD else ""

    def _is_old(self, server: Server) -> bool:
        return server.generation != self.goal.generation

    def _worth(self, server: Server) -> tuple[bool, bool, int, datetime, str]:
        """Give what decides between two servers of a slot, the better first; the same at any time, whoever looks."""
        is_idle, is_useless = not is_known(server, self.seen), bool(self.fault(server))
        return is_idle, is_useless, -server.phase.place, server.created, server.id
