"""What the parts of the Octavia API share: the load balancers, and whose project it is."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.localcloud.api.balancing.octavia_views import View
from tasks.localcloud.balancing.octavia_model import LoadBalancer
from tasks.localcloud.balancing.octavia_service import OctaviaService

CREATED = 201
ACCEPTED = 202
NO_CONTENT = 204


@dataclass(frozen=True, kw_only=True)
class Octavia:
    """The load balancer service of one project."""

    service: OctaviaService
    project: str

    async def view(self, balancer: LoadBalancer) -> View:
        """Look at a load balancer, and at how its members are doing."""
        healths = {pool.id: await self.service.health(balancer, pool) for pool in balancer.pools}
        return View(project=self.project, balancer=balancer, healths=healths)

    async def views(self) -> list[View]:
        """Look at all load balancers."""
        return [await self.view(balancer) for balancer in self.service.all()]
