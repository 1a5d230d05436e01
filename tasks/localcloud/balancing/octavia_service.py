"""The load balancers of Octavia: their states, and the Envoy that really does what they say.

Owns identity, status and time of every load balancer: an accepted change shows at once as pending, on the load balancer
and on what it concerns, and as ACTIVE when Envoy has taken it. Which changes are valid is decided in `octavia_rules`;
how they are asked for, in the API.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Coroutine
from dataclasses import replace

from tasks.localcloud.balancing import octavia_faults, octavia_tree
from tasks.localcloud.balancing.octavia_frontends import endpoint, frontend_name, frontends
from tasks.localcloud.balancing.octavia_model import Listener, LoadBalancer, Monitor, Pool, Provisioning, VirtualIp
from tasks.localcloud.balancing.octavia_quotas import LoadBalancerQuota
from tasks.localcloud.faults.past import Past
from tasks.localcloud.faults.registry import Faults
from tasks.localcloud.faults.unreliable_balancers import UnreliableBalancers
from tasks.localcloud.network import AddressPool, NoAddress
from tasks.localcloud.proxy.admin import EnvoySilent
from tasks.localcloud.proxy.envoy import Envoy, EnvoyRefused
from tasks.localcloud.proxy.frontends import Endpoint, Frontend, Health
from tasks.localcloud.subnet import Subnet

log = logging.getLogger(__name__)


class OctaviaService:
    """All load balancers of the project.

    `virtual_ips` and `envoy` may be shared with other services; starting and ending Envoy is their owner's affair.
    Every change stays pending for at least `pending_seconds`, since in the cloud it takes a while.
    """

    def __init__(
        self,
        envoy: Envoy,
        virtual_ips: AddressPool,
        *,
        subnet: Subnet,
        pending_seconds: float = 0.2,
        faults: Faults | None = None,
    ) -> None:
        self.envoy = envoy
        self.accidents = UnreliableBalancers(envoy, faults or Faults())
        self.subnet = subnet
        self.quota = LoadBalancerQuota()
        self._virtual_ips = virtual_ips
        self._pending_seconds = pending_seconds
        self._balancers: dict[str, LoadBalancer] = {}
        self._past: Past[tuple[LoadBalancer, ...]] = Past(())
        self._served: dict[str, dict[str, Frontend]] = {}
        self._settling: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop whatever is pending."""
        for task in self._settling:
            task.cancel()
        await asyncio.gather(*self._settling, return_exceptions=True)

    def all(self) -> list[LoadBalancer]:
        """List every load balancer, oldest first."""
        return list(self._balancers.values())

    def balancer(self, balancer_id: str) -> LoadBalancer:
        """Find a load balancer.

        :raises Fault: 404, there is none, or none any more.
        """
        if balancer_id not in self._balancers:
            raise octavia_faults.not_found("Load Balancer", balancer_id)
        return self._balancers[balancer_id]

    def listener(self, listener_id: str) -> tuple[LoadBalancer, Listener]:
        """Find a listener, and the load balancer it is in.

        :raises Fault: 404.
        """
        for balancer in self.all():
            if listener := balancer.listener(listener_id):
                return balancer, listener
        raise octavia_faults.not_found("Listener", listener_id)

    def pool(self, pool_id: str) -> tuple[LoadBalancer, Pool]:
        """Find a pool, and the load balancer it is in.

        :raises Fault: 404.
        """
        for balancer in self.all():
            if pool := balancer.pool(pool_id):
                return balancer, pool
        raise octavia_faults.not_found("Pool", pool_id)

    def monitor(self, monitor_id: str) -> tuple[LoadBalancer, Pool, Monitor]:
        """Find a health monitor, and where it is.

        :raises Fault: 404.
        """
        for balancer in self.all():
            for pool in balancer.pools:
                if pool.monitor and pool.monitor.id == monitor_id:
                    return balancer, pool, pool.monitor
        raise octavia_faults.not_found("Health Monitor", monitor_id)

    def new_virtual_ip(self, address: str | None) -> VirtualIp:
        """Take this address, or any that nobody has.

        :raises Fault: 409, somebody has it, or none is left.
        """
        try:
            taken = self._virtual_ips.take_this(address) if address else self._virtual_ips.take()
        except NoAddress as error:
            if address:
                raise octavia_faults.address_taken(address, self.subnet.id) from error
            raise octavia_faults.no_address(self.subnet.network_id) from error
        port_id = str(uuid.uuid4())
        return VirtualIp(address=taken, port_id=port_id, subnet_id=self.subnet.id, network_id=self.subnet.network_id)

    def give_back(self, vip: VirtualIp) -> None:
        """Let another load balancer have a virtual IP that was taken in vain."""
        self._virtual_ips.give_back(vip.address)

    async def health(self, balancer: LoadBalancer, pool: Pool) -> dict[Endpoint, Health]:
        """Return what Envoy has seen of a pool's members; empty when no listener sends them anything.

        An Envoy that does not answer serves nobody: then all are OFFLINE, since the service itself can still be asked.
        """
        served = self._served.get(balancer.id, {})
        for listener in balancer.listeners_of(pool):
            if frontend_name(listener) in served:
                try:
                    return await self.accidents.health(frontend_name(listener), balancer.name)
                except EnvoySilent as silence:
                    log.warning("%s", silence)
                    return {endpoint(member): Health.OFFLINE for member in pool.members}
        return {}

    def earlier(self, pool: Pool, *, seconds_ago: float) -> Pool:
        """Give a pool with the members that it had so many seconds ago; none if it was not there yet."""
        found = (balancer.pool(pool.id) for balancer in self._past.ago(seconds_ago))
        then = next((each for each in found if each), None)
        return replace(pool, members=then.members if then else ())

    def let_others_change(self, balancer: LoadBalancer) -> None:
        """Let somebody else's change come first, if there is to be one: then it is in PENDING_UPDATE for a while."""
        if balancer.provisioning_status is not Provisioning.ACTIVE:
            return
        seconds = self.accidents.busy_seconds(balancer.name)
        if seconds is not None:
            self._keep(octavia_tree.locked(balancer))
            self._begin(self._end_others_change(balancer.id, seconds))

    def accept(self, changed: LoadBalancer) -> None:
        """Accept a load balancer whose changed parts are marked as pending; ACTIVE when Envoy has taken it.

        :raises Fault: 403, the project may not have so much.
        """
        others = (balancer for balancer in self.all() if balancer.id != changed.id)
        self.quota.check([*others, changed])
        self._settle(changed)

    def delete(self, balancer: LoadBalancer) -> None:
        """Accept a deletion with everything in it: PENDING_DELETE at once, gone when it serves no more."""
        self._settle(octavia_tree.leaving(balancer))

    def _settle(self, accepted: LoadBalancer) -> None:
        self._keep(accepted)
        self._begin(self._carry_out(accepted))

    def _keep(self, balancer: LoadBalancer) -> None:
        self._balancers[balancer.id] = balancer
        self._past.note(tuple(self._balancers.values()))

    async def _end_others_change(self, balancer_id: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._keep(octavia_tree.settled(self._balancers[balancer_id]))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _carry_out(self, accepted: LoadBalancer) -> None:
        going = accepted.provisioning_status is Provisioning.PENDING_DELETE
        wanted = {} if going else frontends(accepted)
        breaks = not going and self.accidents.breaks(accepted.name)
        serving = self._serve(accepted.id, self._served.get(accepted.id, {}) if breaks else wanted)
        taken, _ = await asyncio.gather(serving, asyncio.sleep(self._pending_seconds))
        if breaks or not taken:
            self._keep(octavia_tree.failed(accepted))
        elif going:
            del self._balancers[accepted.id], self._served[accepted.id]
            self._past.note(tuple(self._balancers.values()))
            self.give_back(accepted.vip)
        else:
            self._keep(octavia_tree.settled(accepted))

    async def _serve(self, balancer_id: str, wanted: dict[str, Frontend]) -> bool:
        """Let Envoy serve these frontends and no others of the load balancer; say whether it has taken them all."""
        served = self._served.setdefault(balancer_id, {})
        gone = [self._taken(self._withdraw(served, name)) for name in served if name not in wanted]
        new = [self._taken(self._publish(served, each)) for each in wanted.values() if served.get(each.name) != each]
        return all(await asyncio.gather(*gone, *new))

    async def _withdraw(self, served: dict[str, Frontend], name: str) -> None:
        await self.envoy.withdraw(name)
        del served[name]

    async def _publish(self, served: dict[str, Frontend], frontend: Frontend) -> None:
        await self.envoy.publish(frontend)
        served[frontend.name] = frontend

    async def _taken(self, work: Awaitable[None]) -> bool:
        try:
            await work
        except EnvoyRefused as refusal:
            log.error("%s", refusal)  # noqa: TRY400  the sentence says it all; a traceback would not help an operator
            return False
        return True


def mutable(balancer: LoadBalancer) -> LoadBalancer:
    """Let a load balancer through if something in it can be changed now.

    :raises Fault: 409, it is pending or in ERROR.
    """
    if balancer.provisioning_status is not Provisioning.ACTIVE:
        raise octavia_faults.immutable("Load Balancer", balancer.id)
    return balancer


def mutable_pool(balancer: LoadBalancer, pool: Pool) -> Pool:
    """Let a pool through if something in it can be changed now.

    :raises Fault: 409, it or its load balancer is pending or in ERROR.
    """
    if pool.provisioning_status is not Provisioning.ACTIVE:
        raise octavia_faults.immutable("Pool", pool.id)
    mutable(balancer)
    return pool
