"""Taking the claim, keeping it, giving it back. What a claim is, and why this is safe, stands in `claims`.

What it rests on: a metadata item that was written is in every list of servers a second later, and requests that are
under way have landed twenty seconds after their sender gave up (the expiry is that much later than the fence).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from tasks.errors import ClaimLost, CloudError, Conflict, DeployError, NotFound
from tasks.rollout.claims import CHOOSING, EXPIRY_SECONDS, FENCE_SECONDS, WAITING, Claim
from tasks.rollout.contenders import Operator, carries, dead, living, refusal, whose
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.persisting import surely
from tasks.rollout.ports import Compute
from tasks.waiting import Clock, Patience, until

SETTLE_SECONDS = 1.0
"""How long a metadata item that was written may be missing from lists."""

ANNOUNCE_TRIES = 5


class Claimant:
    """The claim of one operator for one verb. Used by the steps and the heartbeat side by side."""

    def __init__(
        self, claim: Claim, *, operator: Operator, compute: Compute, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self._claim = claim
        self._operator = operator
        self._compute = compute
        self._clock = clock
        self._say = say
        self._carriers: list[str] = []
        self._beaten = 0.0
        self._held = False
        self._writing = threading.RLock()

    def take(self, carrier: str) -> None:
        """Take the claim, and write it to the metadata of a server.

        :raises Claimed: somebody else has it, or was before us in the queue; what was written is gone again.
        """
        self._beaten = self._clock.now()
        try:
            ahead = self._announce(carrier, CHOOSING)
            self._refuse([claim for claim in ahead if claim.number > CHOOSING])
            self._announce(carrier, 1 + max((CHOOSING, *(claim.number for claim in ahead))))
            self._refuse([claim for claim in self._queue() if claim.rank < self._claim.rank])
            self._require_pace()
        except BaseException:
            self.withdraw()
            raise
        self._held = True
        self._take_over()

    def at_birth(self, slot: int) -> tuple[Claim, ...]:
        """Give what the new server of a slot is to carry from its first moment on.

        It is our claim, on the first slot, and on every one while no other server carries it: so nobody takes servers
        that are being built for left-overs, whenever this process is killed.
        """
        return (replace(self._claim, number=WAITING),) if slot == 1 or not self._carriers else ()

    def beat(self) -> None:
        """Write the heartbeat, unless the claim must be held for lost. A failure is made good by the next one."""
        with self._writing:
            if self._claim.number <= CHOOSING or self._is_overdue():
                return
            try:
                self._sign_of_life()
            except DeployError:
                return

    def ensure(self) -> None:
        """Return when the claim is ours beyond doubt.

        :raises ClaimLost: we do not hold it, or its heartbeat could not be written for so long that others may soon
            take it over.
        """
        if not self._held:
            raise ClaimLost("this deploy does not hold the claim, so it changes nothing that serves")
        if self._is_overdue():
            raise ClaimLost(
                f"the claim's heartbeat could not be written for {FENCE_SECONDS:g} s (a sleeping machine, or a cloud "
                "that did not answer): another deploy may have taken over",
                advice="`fab status` shows who is at work; `fab deploy` goes on from what is there.",
            )

    def regain(self) -> bool:
        """Take up a lost claim again, if it still stands and nobody else claims. Says whether it is ours for sure."""
        try:
            with self._writing:
                if not self._held or not self._stands_alone():
                    return False
                self._beaten = self._clock.now()
                self._sign_of_life()
            return self._stands_alone(after=SETTLE_SECONDS) and not self._is_overdue()
        except DeployError:
            return False

    def rename(self, verb: str, generation: str) -> None:
        """Write down what is being done now; by this the next operator knows what was interrupted."""
        with self._writing:
            self._claim = replace(self._claim, verb=verb, generation=generation)
            self.beat()

    def leave(self, server: Server, others: Iterable[Server]) -> None:
        """Move to the first of the others that takes it before a server is deleted: its metadata goes with it."""
        with self._writing:
            if server.id not in self._carriers:
                return
            self._carriers.remove(server.id)
            if not self._carriers and self._held and not self._is_overdue():
                self._move(others)

    def withdraw(self) -> None:
        """Give the claim back, wherever it is written. Should that fail, it expires by itself."""
        with self._writing:
            self._held = False
            self._claim = replace(self._claim, number=WAITING)  # a heartbeat that comes late writes nothing
            carriers = set(self._carriers)
            self._carriers.clear()
        try:
            listed = {one.id for one in self._compute.servers() if carries(one, self._claim)}
            self._erase(self._claim, carriers | listed)
        except DeployError as error:
            self._say(f"the claim could not be given back, it expires in {EXPIRY_SECONDS:g} s: {error.problem}")

    def _announce(self, carrier: str, number: int) -> tuple[Claim, ...]:
        """Write the claim until it is seen to stand there; give the living claims of others, seen after that."""
        for _ in range(ANNOUNCE_TRIES):
            self._write(carrier, replace(self._claim, number=number, beat=self._compute.now()))
            self._clock.pause(SETTLE_SECONDS)
            servers = self._compute.servers()
            if any((seen.id, seen.number) == (self._claim.id, number) for one in servers for seen in one.claims):
                return living(servers, self._compute, self._operator, but=self._claim.id)
        raise CloudError(
            f"the claim was written to server {carrier} {ANNOUNCE_TRIES} times, and is not to be seen there"
        )

    def _write(self, carrier: str, claim: Claim) -> None:
        with self._writing:
            sent = self._clock.now()
            if carrier not in self._carriers:
                self._carriers.append(carrier)  # before it is sent: a lost answer may have written it
            surely(
                lambda: self._compute.note(carrier, claim.item, claim.to_value()), what="the claim", clock=self._clock
            )
            self._claim = claim
            # What was under way for longer than that came too late: others may have found the claim expired meanwhile.
            if not self._is_overdue():
                self._beaten = sent

    def _move(self, others: Iterable[Server]) -> None:
        for other in others:
            try:
                self._write(other.id, replace(self._claim, beat=self._compute.now()))
            except DeployError:
                self._carriers.remove(other.id)  # it is being deleted itself, say
            else:
                return

    def _sign_of_life(self) -> None:
        """Write the heartbeat to the server that carries the claim, or to another one when that is gone.

        Where no server can carry it, those that are being built stand for it: they were born with it.
        """
        if self._carriers:
            try:
                self._write(self._carriers[-1], replace(self._claim, beat=self._compute.now()))
            except (NotFound, Conflict):
                self._carriers.pop()
            else:
                return
        sent = self._clock.now()
        servers = self._compute.servers()
        self._move(one for one in servers if one.status is ServerStatus.ACTIVE)
        if not self._carriers and any(carries(one, self._claim) for one in servers if one.status is ServerStatus.BUILD):
            self._beaten = sent

    def _is_overdue(self) -> bool:
        return self._clock.now() - self._beaten > FENCE_SECONDS

    def _others(self, *, after: float = 0.0) -> tuple[Claim, ...]:
        """Give the living claims of others, as lists show them `after` seconds from now."""
        if after:
            self._clock.pause(after)
        return living(self._compute.servers(), self._compute, self._operator, but=self._claim.id)

    def _queue(self) -> tuple[Claim, ...]:
        """Give the living claims of others that have a number, once none of them is choosing one any more."""

        def look() -> tuple[Claim, ...] | None:
            others = [claim for claim in self._others() if claim.number != WAITING]
            return None if any(claim.number == CHOOSING for claim in others) else tuple(others)

        patience = Patience(limit=EXPIRY_SECONDS + 10, first=0.2, longest=2.0)
        return until(look, what="another deploy to choose its place in the queue", patience=patience, clock=self._clock)

    def _require_pace(self) -> None:
        if self._is_overdue():
            raise CloudError(
                f"the claim took longer than {FENCE_SECONDS:g} s to be written: others may have taken it for expired",
                advice="The cloud's API is slow; run it again.",
            )

    def _refuse(self, ahead: list[Claim]) -> None:
        if ahead:
            raise refusal(ahead[0], self._compute)

    def _stands_alone(self, *, after: float = 0.0) -> bool:
        others = self._others(after=after)
        carried = (claim.id for server in self._compute.servers() for claim in server.claims)
        return not others and self._claim.id in carried

    def _take_over(self) -> None:
        """Remove the claims of those who are dead, so that they know, should they only have slept."""
        servers = self._compute.servers()
        for claim in dead(servers, self._compute, self._operator):
            if claim.id != self._claim.id:
                self._say(f"taking over from {whose(claim, self._compute)}, which has ended without saying so")
                self._erase(claim, {server.id for server in servers if carries(server, claim)})

    def _erase(self, claim: Claim, server_ids: Iterable[str]) -> None:
        """Remove a claim from all these servers.

        :raises DeployError: from one of them it could not be removed; from the others it is.
        """
        failures = []
        for server_id in sorted(server_ids):
            erase = partial(self._compute.erase, server_id, claim.item)
            try:
                surely(erase, what="a claim to be erased", clock=self._clock)
            except DeployError as error:
                failures.append(error)
        if failures:
            raise failures[0]
