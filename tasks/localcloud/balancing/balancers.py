"""The load balancers of the local cloud: their states, and the one Envoy that really does what they say.

Owns identity, status and time of every load balancer: an accepted change shows at once as PENDING_UPDATE, and as ACTIVE
when Envoy has taken it. What a valid change is, is decided in `clb_rules`; how it is asked for, in the API.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Coroutine, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tasks.localcloud.balancing import clb_faults
from tasks.localcloud.balancing.clb_model import LoadBalancer, Status, VirtualIp
from tasks.localcloud.faults.past import Past
from tasks.localcloud.faults.registry import Faults
from tasks.localcloud.faults.unreliable_balancers import UnreliableBalancers
from tasks.localcloud.network import AddressPool, NoAddress
from tasks.localcloud.proxy.envoy import Envoy, EnvoyRefused
from tasks.localcloud.proxy.frontends import Endpoint, Health

log = logging.getLogger(__name__)


class BalancerService:
    """All load balancers of the project.

    `virtual_ips` hands out addresses, and gets back those that no load balancer has any more. Every change stays
    pending for at least `pending_seconds`, since in the cloud it takes a while and clients have to cope. `envoy` may be
    shared with other services: frontends have names of their own.
    """

    def __init__(
        self,
        directory: Path,
        virtual_ips: AddressPool,
        *,
        node_limit: int = 25,
        pending_seconds: float = 0.2,
        faults: Faults | None = None,
    ) -> None:
        self.envoy = Envoy(directory)
        self.accidents = UnreliableBalancers(self.envoy, faults or Faults())
        self.node_limit = node_limit
        self._virtual_ips = virtual_ips
        self._pending_seconds = pending_seconds
        self._balancers: dict[int, LoadBalancer] = {}
        self._past: Past[tuple[LoadBalancer, ...]] = Past(())
        self._ids = itertools.count(1)
        self._settling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Run Envoy.

        :raises EnvoyDown: it did not start; the message has its last words.
        """
        await self.envoy.start()

    async def close(self) -> None:
        """End Envoy; leaves no process and no file."""
        for task in self._settling:
            task.cancel()
        await asyncio.gather(*self._settling, return_exceptions=True)
        await self.envoy.close()

    def next_id(self) -> int:
        """Count up: no two things of this service have the same id."""
        return next(self._ids)

    def all(self) -> list[LoadBalancer]:
        """List every load balancer there ever was, oldest first."""
        return list(self._balancers.values())

    def kept(self) -> Iterable[LoadBalancer]:
        """List those that are not deleted."""
        return (balancer for balancer in self._balancers.values() if balancer.status is not Status.DELETED)

    def get(self, balancer_id: int) -> LoadBalancer:
        """Find a load balancer, deleted or not.

        :raises Fault: 404, there never was one.
        """
        if balancer_id not in self._balancers:
            raise clb_faults.no_balancer()
        return self._balancers[balancer_id]

    def existing(self, balancer_id: int) -> LoadBalancer:
        """Find a load balancer that is not deleted.

        :raises Fault: 404, or 410 for a deleted one.
        """
        balancer = self.get(balancer_id)
        if balancer.status is Status.DELETED:
            raise clb_faults.balancer_deleted()
        return balancer

    def mutable(self, balancer_id: int) -> LoadBalancer:
        """Find a load balancer that can be changed now.

        :raises Fault: 404, or 422 unless it is ACTIVE (CLB docs, api-behavior).
        """
        balancer = self.get(balancer_id)
        if balancer.status is not Status.ACTIVE:
            raise clb_faults.immutable(balancer.id, balancer.status)
        return balancer

    def undeleted(self, balancer_id: int) -> LoadBalancer:
        """Find a load balancer whose nodes somebody wants to change.

        :raises Fault: 404, or 422 for a deleted one.
        """
        balancer = self.get(balancer_id)
        if balancer.status is Status.DELETED:
            raise clb_faults.immutable(balancer.id, balancer.status)
        return balancer

    def new_virtual_ip(self, kind: str) -> VirtualIp:
        """Take an address that nobody has.

        :raises Fault: 500, none is left.
        """
        try:
            return VirtualIp(id=self.next_id(), address=self._virtual_ips.take(), type=kind)
        except NoAddress as exhausted:
            raise clb_faults.out_of_virtual_ips() from exhausted

    async def health(self, balancer: LoadBalancer) -> dict[Endpoint, Health]:
        """Return what Envoy has seen of the nodes; those it has not seen yet are missing."""
        return await self.accidents.health(balancer.frontend_name, balancer.name)

    def earlier(self, balancer: LoadBalancer, *, seconds_ago: float) -> LoadBalancer:
        """Give a load balancer with the nodes that it had so many seconds ago; none if it was not there yet."""
        then = next((each for each in self._past.ago(seconds_ago) if each.id == balancer.id), None)
        return replace(balancer, nodes=then.nodes if then else ())

    def let_others_change(self, balancer_id: int) -> None:
        """Let somebody else's change come first, if there is to be one: then it is in PENDING_UPDATE for a while."""
        balancer = self._balancers.get(balancer_id)
        if balancer is None or balancer.status is not Status.ACTIVE:
            return
        seconds = self.accidents.busy_seconds(balancer.name)
        if seconds is not None:
            self._keep(replace(balancer, status=Status.PENDING_UPDATE))
            self._begin(self._end_others_change(balancer_id, seconds))

    def build(self, balancer: LoadBalancer) -> LoadBalancer:
        """Accept a new load balancer: BUILD at once, ACTIVE when it serves."""
        return self._settle(replace(balancer, status=Status.BUILD), Status.ACTIVE)

    def change(self, changed: LoadBalancer) -> LoadBalancer:
        """Accept a change: PENDING_UPDATE at once, ACTIVE when Envoy has taken it, ERROR if it refuses."""
        return self._settle(replace(changed, status=Status.PENDING_UPDATE, updated=now()), Status.ACTIVE)

    def annotate(self, changed: LoadBalancer) -> None:
        """Accept new metadata, which Envoy has nothing to do with: no pending state (CLB docs, metadata)."""
        self._keep(replace(changed, updated=now()))

    def delete(self, balancer: LoadBalancer) -> None:
        """Accept a deletion: PENDING_DELETE at once, DELETED when it serves no more."""
        self._settle(replace(balancer, status=Status.PENDING_DELETE, updated=now()), Status.DELETED)

    def _settle(self, accepted: LoadBalancer, final: Status) -> LoadBalancer:
        self._begin(self._carry_out(accepted, final))
        return self._keep(accepted)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    def _keep(self, balancer: LoadBalancer) -> LoadBalancer:
        self._balancers[balancer.id] = balancer
        self._past.note(tuple(self._balancers.values()))
        return balancer

    async def _end_others_change(self, balancer_id: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._keep(replace(self._balancers[balancer_id], status=Status.ACTIVE))

    async def _carry_out(self, accepted: LoadBalancer, final: Status) -> None:
        work = self.envoy.withdraw(accepted.frontend_name) if final is Status.DELETED else self._publish(accepted)
        settled, _ = await asyncio.gather(self._outcome(work, final), asyncio.sleep(self._pending_seconds))
        # Metadata may have changed meanwhile: take the balancer as it is now.
        self._keep(replace(self._balancers[accepted.id], status=settled))
        if settled is Status.DELETED:
            self._release(accepted.virtual_ip)

    async def _publish(self, accepted: LoadBalancer) -> None:
        if self.accidents.breaks(accepted.name):
            raise EnvoyRefused(accepted.frontend_name, "a fault was asked for")
        await self.envoy.publish(accepted.as_frontend())

    async def _outcome(self, work: Awaitable[None], final: Status) -> Status:
        try:
            await work
        except EnvoyRefused as refusal:
            log.error("%s", refusal)  # noqa: TRY400  the sentence says it all; a traceback would not help an operator
            return Status.ERROR
        return final

    def _release(self, virtual_ip: VirtualIp) -> None:
        if all(kept.virtual_ip != virtual_ip for kept in self.kept()):
            self._virtual_ips.give_back(virtual_ip.address)


def now() -> datetime:
    """Return the present, in UTC and whole seconds, as the service tells time."""
    return datetime.now(UTC).replace(microsecond=0)
