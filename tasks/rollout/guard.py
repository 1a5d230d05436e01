"""The one place that every server delete and every node removal passes.

It knows what was live when the deploy began and looks again at the load balancers before each act. What it refuses is a
bug or a race, never an expected case: the planner does not plan such steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import GuardRefused
from tasks.rollout.model import LoadBalancer, Server
from tasks.rollout.ports import Balancers


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Refuses deletes and removals that could hit a live or foreign server."""

    app: str
    environment: str
    balancers: Balancers

    def allow_delete(self, server: Server) -> None:
        """Return when the server is ours and no load balancer of the account knows its address.

        :raises GuardRefused: it is foreign, or it has a node somewhere, in whatever condition.
        """
        self._owned(server)
        knowing = self.balancers.knowing(server.private_ip) if server.private_ip else ()
        if knowing:
            raise GuardRefused(
                f"will not delete {server.name}: {', '.join(knowing)} still has a node at {server.private_ip}",
                advice="`fab status` shows the nodes; `fab rotate` takes old ones out of rotation.",
            )

    def allow_removal(self, servers: tuple[Server, ...], balancer: LoadBalancer) -> None:
        """Return when these servers are ours and get no new requests from this load balancer any more.

        :raises GuardRefused: one is foreign or still ENABLED here.
        """
        for server in servers:
            self._owned(server)
            if balancer.sends_to(server):
                raise GuardRefused(f"will not remove {server.name} from {balancer.name}: it is still ENABLED there")

    def _owned(self, server: Server) -> None:
        labels = server.labels
        if (labels.app, labels.environment) != (self.app, self.environment):
            raise GuardRefused(
                f"will not touch {server.name}: it belongs to {labels.app}/{labels.environment}, "
                f"not to {self.app}/{self.environment}"
            )
