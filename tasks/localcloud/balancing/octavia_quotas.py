"""How many load balancers, listeners, pools, members and health monitors the project may have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.localcloud.balancing import octavia_faults
from tasks.localcloud.balancing.octavia_model import LoadBalancer

UNLIMITED = -1


@dataclass(frozen=True, kw_only=True)
class LoadBalancerQuota:
    """Limits of the whole project, named as the API names them; -1, the default, is none (Octavia api-ref, quotas)."""

    loadbalancer: int = UNLIMITED
    listener: int = UNLIMITED
    pool: int = UNLIMITED
    member: int = UNLIMITED
    healthmonitor: int = UNLIMITED
    l7policy: int = UNLIMITED
    l7rule: int = UNLIMITED

    def check(self, balancers: Iterable[LoadBalancer]) -> None:
        """Refuse more than the project may have, counting all these load balancers and what is in them.

        :raises Fault: 403, naming what there would be too many of.
        """
        every = list(balancers)
        pools = [pool for balancer in every for pool in balancer.pools]
        self._check("loadbalancer", len(every))
        self._check("listener", sum(len(balancer.listeners) for balancer in every))
        self._check("pool", len(pools))
        self._check("member", sum(len(pool.members) for pool in pools))
        self._check("healthmonitor", sum(1 for pool in pools if pool.monitor))

    def _check(self, resource: str, number: int) -> None:
        limit: int = getattr(self, resource)
        if limit != UNLIMITED and number > limit:
            raise octavia_faults.quota_met(resource)
