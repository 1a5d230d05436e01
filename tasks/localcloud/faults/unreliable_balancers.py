"""What goes wrong with load balancers on a bad day, whichever API they are asked through.

Decides which fault strikes, and lets Envoy take a node for OFFLINE. Statuses are the services' to keep.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Faults
from tasks.localcloud.proxy.envoy import Envoy
from tasks.localcloud.proxy.frontends import Endpoint, Health


class UnreliableBalancers:
    """The accidents of load balancers.

    A fault's `match` is looked for in the load balancer's name; of one that strikes a node, in `BALANCER SERVER NODE`.
    `server_at` gives the name of the server that has an address.
    """

    def __init__(self, envoy: Envoy, faults: Faults) -> None:
        self.server_at: Callable[[str], str] = lambda _: ""
        self._envoy = envoy
        self._faults = faults

    def busy_seconds(self, name: str) -> float | None:
        """Say for how long somebody else's change, which came first, keeps a load balancer busy; None if there is none.

        Asked before every change of a load balancer that could be changed.
        """
        fault = self._faults.take(FaultName.BALANCER_BUSY, about=name)
        return fault.seconds if fault else None

    def breaks(self, name: str) -> bool:
        """Say whether an accepted change cannot be made."""
        return self._faults.take(FaultName.BALANCER_ERROR, about=name) is not None

    async def health(self, frontend: str, name: str) -> dict[Endpoint, Health]:
        """Return what Envoy has seen of a frontend's backends; at this sight a node may begin to flap.

        :raises EnvoySilent: Envoy does not answer.
        """
        healths = await self._envoy.health(frontend)
        for endpoint in [each for each, health in healths.items() if health is Health.ONLINE]:
            about = f"{name} {self.server_at(endpoint.address)} {endpoint}"
            if flap := self._faults.take(FaultName.NODE_FLAPS, about=about):
                await self._envoy.take_for_offline(frontend, endpoint, flap.seconds)
                healths[endpoint] = Health.OFFLINE
        return healths

    def list_age(self, request: Request) -> float:
        """Say how many seconds old the list of nodes is that a request gets."""
        fault = self._faults.take(FaultName.STALE_LISTS, about=f"{request.method} {request.url.path}")
        return fault.seconds if fault else 0.0
