"""The one place that every server delete and every change of who gets traffic passes.

It knows what was live when the rollout began, whose the claim is, and looks again at the servers and the load balancers
before each act. What it refuses is a bug or a race, never an expected case: the planner does not plan such steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.errors import GuardRefused, TooFew
from tasks.rollout.claiming import Claimant
from tasks.rollout.model import Condition, Listener, LoadBalancer, NodeStatus, Server
from tasks.rollout.ports import Balancers, Compute


@dataclass(frozen=True, kw_only=True)
class Stakes:
    """What may not be lost in a rollout; frozen when it begins.

    :param generation: the servers that it makes itself: while nothing serves from them, they are its own to delete.
    :param live: ids of the servers that served when it began.
    :param floors: how many servers a load balancer, by name, has to go on sending requests to at any time.
    :param claim: without one nothing that serves can be changed.
    """

    generation: str = ""
    live: frozenset[str] = frozenset()
    floors: Mapping[str, int] = field(default_factory=dict)
    claim: Claimant | None = None


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Refuses deletes and changes of nodes that could hit a live or foreign server, or one that is another's work."""

    app: str
    environment: str
    listeners: Sequence[Listener]
    compute: Compute
    balancers: Balancers
    stakes: Stakes

    def allow_delete(self, server: Server) -> None:
        """Return when a server may be deleted: it is ours, no load balancer of the account knows its address, and if
        it was live when the rollout began, others serve in its place.

        :raises NotFound: it is gone, or its metadata does not say any more that it is ours.
        :raises GuardRefused: it is foreign, or it has a node somewhere, in whatever condition.
        :raises TooFew: too few others serve.
        :raises ClaimLost: it is not of this rollout's own making, and the claim is not ours.
        """  # noqa: D205  one sentence, with all that has to hold
        self._owned(self.compute.server(server.id))
        if self.stakes.claim and server.generation != self.stakes.generation:
            self.stakes.claim.ensure()
        knowing = self.balancers.knowing(server.private_ip) if server.private_ip else ()
        if knowing:
            raise GuardRefused(
                f"will not delete {server.name}: {', '.join(knowing)} still has a node at {server.private_ip}",
                advice="`fab status` shows the nodes; `fab rotate` takes old ones out of rotation.",
            )
        if server.id in self.stakes.live:
            for balancer in self.balancers.find(self.listeners):
                self._leaves_enough(balancer, frozenset(node.address for node in balancer.nodes))

    def allow_change(self) -> None:
        """Return when nodes may be added, or put back.

        :raises ClaimLost: the claim is not ours.
        """
        if self.stakes.claim:
            self.stakes.claim.ensure()

    def allow_draining(self, addresses: frozenset[str], balancer: LoadBalancer, ours: frozenset[str]) -> None:
        """Return when enough others of ours get requests from this load balancer.

        :param ours: the private IPs of our servers: what foreign nodes serve is none of the app's.

        :raises ClaimLost: the claim is not ours.
        :raises TooFew: there are fewer than at the start.
        """
        self.allow_change()
        self._leaves_enough(balancer, ours - addresses)

    def allow_removal(self, servers: tuple[Server, ...], addresses: frozenset[str], balancer: LoadBalancer) -> None:
        """Return when all these nodes belong to servers of ours, all of which are given, and get no new requests.

        :raises ClaimLost: the claim is not ours.
        :raises GuardRefused: a node is foreign, or still ENABLED here.
        :raises TooFew: there are fewer others than at the start.
        """
        self.allow_change()
        ours = frozenset(server.private_ip for server in servers if server.private_ip)
        foreign = addresses - ours
        if foreign:
            raise GuardRefused(f"will not remove {', '.join(sorted(foreign))} from {balancer.name}: no server of ours")
        for server in servers:
            if server.private_ip not in addresses:
                continue
            self._owned(server)
            if balancer.sends_to(server):
                raise GuardRefused(f"will not remove {server.name} from {balancer.name}: it is still ENABLED there")
        self._leaves_enough(balancer, ours - addresses)

    def allow_removal_of_gone(self, addresses: frozenset[str], balancer: LoadBalancer) -> None:
        """Return when all these nodes were added for servers of ours, and no server of the account is there any more.

        :raises ClaimLost: the claim is not ours.
        :raises GuardRefused: a node is foreign, or there is a server at its address.
        """
        self.allow_change()
        wrong = (addresses - self.balancers.owners(balancer.id).keys()) | (addresses & self.compute.addresses())
        if wrong:
            raise GuardRefused(
                f"will not remove {', '.join(sorted(wrong))} from {balancer.name}: foreign, or its server is there"
            )

    def _leaves_enough(self, balancer: LoadBalancer, staying: frozenset[str]) -> None:
        serving = {node.address for node in balancer.nodes if _gets_requests(node.condition, node.status)} & staying
        floor = self.stakes.floors.get(balancer.name, 0)
        if len(serving) < floor:
            raise TooFew(f"{balancer.name} would send requests to {len(serving)} nodes; {floor} are the fewest allowed")

    def _owned(self, server: Server) -> None:
        labels = server.labels
        if (labels.app, labels.environment) != (self.app, self.environment):
            raise GuardRefused(
                f"will not touch {server.name}: it belongs to {labels.app}/{labels.environment}, "
                f"not to {self.app}/{self.environment}"
            )


def _gets_requests(condition: Condition, status: NodeStatus) -> bool:
    return condition is Condition.ENABLED and status is not NodeStatus.OFFLINE
