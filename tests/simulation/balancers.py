"""The simulated load balancers: busy for a while after every change, and strict about what may leave them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tasks.errors import Immutable
from tasks.rollout.model import (
    BalancerStatus,
    Condition,
    Listener,
    LoadBalancer,
    Node,
    NodeStatus,
    VirtualIp,
)

PENDING_SECONDS = 2.0


class SimulatedBalancers:
    """All load balancers of the account (the port Balancers).

    `called` hears of every call first and may raise; `changed` hears of every change that was made.
    """

    def __init__(self, now: Callable[[], float], called: Callable[[str], None], changed: Callable[[], None]):
        self._now = now
        self._called = called
        self._changed = changed
        self._all: dict[str, LoadBalancer] = {}
        self._busy_until: dict[str, float] = {}
        self.draining_since: dict[str, float] = {}

    def all(self):
        """Give them as they are."""
        return list(self._all.values())

    def break_down(self, name):
        """Put one into status ERROR."""
        self._all[f"lb-{name}"] = replace(self._all[f"lb-{name}"], status=BalancerStatus.ERROR)

    def find(self, listeners: Sequence[Listener]):
        """Find the load balancers."""
        self._called("find")
        return tuple(self._settled(balancer) for balancer in self._all.values())

    def show(self, balancer_id):
        """Show a load balancer."""
        self._called("show")
        return self._settled(self._all[balancer_id])

    def create(self, listener, share_with):
        """Make a load balancer."""
        self._called("create balancer")
        ips = share_with.virtual_ips if share_with else (VirtualIp(id="1", address="192.0.2.1"),)
        balancer = LoadBalancer(
            id=f"lb-{listener.name}",
            name=listener.name,
            virtual_ips=ips,
            port=listener.port,
            protocol=listener.protocol,
            status=BalancerStatus.ACTIVE,
        )
        return self._put(balancer)

    def add_nodes(self, balancer_id, addresses, port):
        """Add nodes."""
        balancer = self._changeable("add", balancer_id)
        known = {node.address for node in balancer.nodes}
        assert not known & set(addresses), "a node was added twice"
        new = tuple(
            Node(id=f"{balancer_id}-{a}", address=a, port=port, condition=Condition.ENABLED, status=NodeStatus.ONLINE)
            for a in addresses
        )
        self._put(replace(balancer, nodes=(*balancer.nodes, *new)))

    def set_condition(self, balancer_id, node_ids, condition):
        """Set conditions."""
        balancer = self._changeable(f"set {condition}", balancer_id)
        nodes = tuple(replace(n, condition=condition) if n.id in node_ids else n for n in balancer.nodes)
        for node in nodes:
            self.draining_since.setdefault(node.address, self._now())
        self._put(replace(balancer, nodes=nodes))

    def remove_nodes(self, balancer_id, node_ids):
        """Remove nodes, which must not get requests."""
        balancer = self._changeable("remove", balancer_id)
        leaving = [node for node in balancer.nodes if node.id in node_ids]
        assert all(node.condition is not Condition.ENABLED for node in leaving), "an ENABLED node was removed"
        self._put(replace(balancer, nodes=tuple(node for node in balancer.nodes if node not in leaving)))

    def knowing(self, address):
        """Say which load balancers know an address."""
        self._called("knowing")
        return tuple(b.name for b in self._all.values() if any(node.address == address for node in b.nodes))

    def problems(self, listeners):
        """Everything can be made."""
        self._called("problems")
        return []

    def node_limit(self):
        """As Rackspace has it."""
        return 25

    def _settled(self, balancer):
        busy = self._now() < self._busy_until[balancer.id]
        status = BalancerStatus.PENDING if busy and balancer.status is BalancerStatus.ACTIVE else balancer.status
        return replace(balancer, status=status)

    def _changeable(self, call, balancer_id):
        self._called(f"{call} {balancer_id}")
        balancer = self._all[balancer_id]
        if self._settled(balancer).status is not BalancerStatus.ACTIVE:
            raise Immutable("considered immutable")
        return balancer

    def _put(self, balancer):
        self._all[balancer.id] = balancer
        self._busy_until[balancer.id] = self._now() + PENDING_SECONDS
        self._changed()
        return self._settled(balancer)
