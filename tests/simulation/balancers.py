"""The simulated load balancers of an account: busy after every change, and what their nodes are to users."""

from tasks.errors import Conflict, Immutable, NotFound, QuotaExceeded
from tasks.rollout.model import BalancerStatus, Condition, LoadBalancer, Node, NodeStatus, VirtualIp

CONNECTIONS = 3


class Place:
    """A node as it is.

    :param proved: the load balancer has seen its app answer.
    :param resting_since: when it ceased to get new requests; `idle_at`: when its last connection ends by itself.
    """

    def __init__(self, number, address, port, machine):
        self.id = f"n{number}"
        self.address = address
        self.port = port
        self.machine = machine
        self.foreign = machine is None or machine.view() is None
        self.condition = Condition.ENABLED
        self.status = NodeStatus.OFFLINE
        self.proved = False
        self.flaps_until = 0.0
        self.resting_since = self.idle_at = 0.0

    def view(self):
        """Give what the API tells of it."""
        return Node(id=self.id, address=self.address, port=self.port, condition=self.condition, status=self.status)


class Balancer:
    """A load balancer as it is. `broken` ones are in ERROR."""

    def __init__(self, listener, virtual_ips):
        self.id = f"lb-{listener.name}"
        self.name = listener.name
        self.listener = listener
        self.virtual_ips = virtual_ips
        self.nodes: dict[str, Place] = {}
        self.names: dict[str, str] = {}
        self.marked = False
        self.foreign = False
        self.broken = False
        self.busy_until = 0.0
        self._views = {}

    def changed(self):
        """Forget what was told of it."""
        self._views.clear()

    def status(self, now):
        """Say whether it takes changes."""
        if self.broken:
            return BalancerStatus.ERROR
        return BalancerStatus.PENDING if now < self.busy_until else BalancerStatus.ACTIVE

    def view(self, now):
        """Give what the API tells of it."""
        status = self.status(now)
        if status not in self._views:
            self._views[status] = LoadBalancer(
                id=self.id,
                name=self.name,
                virtual_ips=self.virtual_ips,
                port=self.listener.port,
                protocol=self.listener.protocol,
                status=status,
                nodes=tuple(node.view() for node in self.nodes.values()),
            )
        return self._views[status]


class Balancers:
    """All load balancers of the account."""

    def __init__(self, world):
        self._world = world
        self._made = 0
        self.by_id: dict[str, Balancer] = {}

    # What an API does

    def listed(self, listeners):
        """Find those of some listeners."""
        wanted = {(listener.name, listener.port) for listener in listeners}
        now = self._world.kernel.time
        return tuple(b.view(now) for b in self.by_id.values() if (b.name, b.listener.port) in wanted)

    def shown(self, balancer_id):
        """Show one."""
        return self._known(balancer_id).view(self._world.kernel.time)

    def created(self, listener, share_with):
        """Make one, without nodes."""
        balancer = self.make(listener, share_with.virtual_ips if share_with else None)
        balancer.marked = True
        self._busy(balancer)
        return balancer.view(self._world.kernel.time)

    def added(self, who, balancer_id, addresses, port):
        """Add nodes, ENABLED."""
        balancer = self._changeable(who, balancer_id)
        if {node.address for node in balancer.nodes.values()} & set(addresses):
            raise Conflict("duplicate nodes")
        if len(balancer.nodes) + len(addresses) > self._world.node_limit:
            raise QuotaExceeded("too many nodes")
        for address in addresses:
            node = self.join(balancer, address, port)
            self._world.laws.may_serve(node.machine, balancer)
        balancer.names.update(addresses)
        self._busy(balancer)

    def conditioned(self, who, balancer_id, node_ids, condition):
        """Set the condition of nodes."""
        balancer = self._changeable(who, balancer_id)
        if not set(node_ids) <= set(balancer.nodes):
            raise NotFound("no such nodes")
        for node_id in node_ids:
            self._set(balancer.nodes[node_id], condition, balancer)
        self._busy(balancer)
        self._world.laws.enough(balancer)

    def removed(self, who, balancer_id, node_ids):
        """Remove nodes; those that are gone are no error."""
        balancer = self._changeable(who, balancer_id)
        for node_id in node_ids:
            if node_id in balancer.nodes:
                self._world.laws.may_leave(balancer.nodes[node_id], balancer)
                del balancer.nodes[node_id]
        self._busy(balancer)
        self._world.laws.enough(balancer)

    def occupied(self, act, args):
        """Try an act on a load balancer that somebody else is changing just then."""
        self._busy(self._known(args[1]))
        return act(*args)

    def knowing(self, address):
        """Give the names of those that have a node at an address."""
        return tuple(b.name for b in self.by_id.values() if any(n.address == address for n in b.nodes.values()))

    def is_marked(self, balancer_id):
        """Say whether one is marked as ours."""
        return self._known(balancer_id).marked

    def mark(self, balancer_id):
        """Mark one as ours."""
        self._known(balancer_id).marked = True

    def names(self, balancer_id):
        """Give the names of servers for which nodes were added."""
        return dict(self._known(balancer_id).names)

    def connections(self, machine):
        """Count a server's open connections."""
        places = [node for b in self.by_id.values() for node in b.nodes.values() if node.machine is machine]
        now = self._world.kernel.time
        resting = [node for node in places if node.condition is not Condition.ENABLED]
        return CONNECTIONS * (len(places) - sum(now >= node.idle_at for node in resting))

    # What the world does

    def make(self, listener, virtual_ips=None):
        """Put a load balancer into the world."""
        balancer = Balancer(listener, virtual_ips or (VirtualIp(id="1", address="192.0.2.1"),))
        if balancer.id in self.by_id:
            balancer.id += f"-{len(self.by_id)}"
        self.by_id[balancer.id] = balancer
        return balancer

    def join(self, balancer, address, port):
        """Add a node. Without a health monitor it is ONLINE at once, with one as soon as its app has answered."""
        self._made += 1
        node = Place(self._made, address, port, self._world.servers.at(address))
        balancer.nodes[node.id] = node
        balancer.changed()
        if self._world.shape.monitored:
            self._world.kernel.after(self._world.shape.quick(), self._look, balancer, node)
        else:
            self._online(node)
        return node

    def probe(self, machine):
        """Let the health monitors find out how a server's app is."""
        for balancer in self.by_id.values() if self._world.shape.monitored else ():
            for node in balancer.nodes.values():
                if node.machine is machine:
                    self._world.kernel.after(self._world.shape.quick(), self._look, balancer, node)

    def excuse(self, machine):
        """Excuse what a server will not do any more."""
        for balancer in self.by_id.values():
            for node in balancer.nodes.values():
                if node.machine is machine:
                    self._world.laws.excuse(balancer, node)

    def flap(self, balancer, node, seconds):
        """Let a node be OFFLINE for a while. Who begins just then may take it for lost."""
        self._world.laws.excuse(balancer, node)
        node.flaps_until = self._world.kernel.time + seconds
        self._look(balancer, node)
        self._world.kernel.after(seconds, self._look, balancer, node)

    def _look(self, balancer, node):
        up = node.foreign or (node.machine.up and self._world.kernel.time >= node.flaps_until)
        if up:
            self._online(node)
        else:
            node.status = NodeStatus.OFFLINE
        balancer.changed()

    def _online(self, node):
        node.status = NodeStatus.ONLINE
        node.proved = node.proved or node.foreign or node.machine.up

    def _set(self, node, condition, balancer):
        if node.foreign:
            self._world.laws.foreign(node, balancer)
        if condition is Condition.ENABLED:
            self._world.laws.may_serve(node.machine, balancer)
        elif node.condition is Condition.ENABLED:
            node.resting_since = self._world.kernel.time
            node.idle_at = node.resting_since + self._world.last_connection()
        node.condition = condition

    def _known(self, balancer_id):
        if balancer_id not in self.by_id:
            raise NotFound(f"{balancer_id} is gone")
        return self.by_id[balancer_id]

    def _changeable(self, who, balancer_id):
        balancer = self._known(balancer_id)
        if balancer.status(self._world.kernel.time) is not BalancerStatus.ACTIVE:
            raise Immutable(f"{balancer.name} is considered immutable")
        self._world.laws.takes_turn(who)
        return balancer

    def _busy(self, balancer):
        balancer.busy_until = self._world.kernel.time + self._world.shape.pending()
        balancer.changed()
