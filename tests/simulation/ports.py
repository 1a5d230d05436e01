"""The rollout's ports, as one operator sees the simulated cloud through his wire."""

from datetime import timedelta

from tasks.errors import HostUnreachable
from tests.simulation.faults import Kind


class SimulatedCompute:
    """The servers (the port Compute)."""

    def __init__(self, world, wire):
        self._world = world
        self._servers = world.servers
        self._ask = wire.ask
        self._skew = timedelta(seconds=world.shape.skew())

    def servers(self):
        """List our servers."""
        return self._ask(Kind.LIST, "servers", self._servers.listed)

    def create(self, request):
        """Ask for a server."""
        return self._ask(Kind.CREATE, f"create {request.labels.slot}", self._servers.created, request)

    def server(self, server_id):
        """Show a server."""
        return self._ask(Kind.READ, "server", self._servers.shown, server_id)

    def label(self, server):
        """Write labels."""
        items = server.labels.to_metadata()
        self._ask(Kind.METADATA, f"label {server.name} {server.phase}", self._servers.written, server.id, items)

    def note(self, server_id, name, value):
        """Write a metadata item."""
        self._ask(Kind.METADATA, f"note {server_id} {name}={value}", self._servers.written, server_id, {name: value})

    def erase(self, server_id, name):
        """Remove a metadata item."""
        self._ask(Kind.METADATA, f"erase {server_id} {name}", self._servers.erased, server_id, name)

    def now(self):
        """Give the cloud's time, by the clock of the one of its machines that answers us."""
        return self._world.now() + self._skew

    def delete(self, server_id):
        """Ask for a server to be deleted."""
        self._ask(Kind.CHANGE, f"delete {server_id}", self._servers.deleted, server_id)

    def reboot(self, server_id):
        """Ask for a reboot."""
        self._ask(Kind.CHANGE, "reboot", self._servers.rebooted, server_id)

    def findings(self, extra_servers):
        """Say whether the quota has room."""
        return self._ask(Kind.READ, "findings", self._world.findings, extra_servers)

    def room(self):
        """Give how many more servers fit into the quota."""
        return self._ask(Kind.READ, "room", self._world.room)

    def addresses(self):
        """Give every address in use."""
        return self._ask(Kind.READ, "addresses", self._servers.addresses)

    def spares(self):
        """There are none."""
        return self._ask(Kind.READ, "spares", tuple)

    def discard(self, spare):
        """There are none."""
        raise NotImplementedError(spare)

    def console(self, server_id):
        """Nothing is printed here."""
        return ""


class SimulatedBalancers:
    """The load balancers (the port Balancers). `run` says for which run of which verb the changes are made."""

    def __init__(self, world, wire, process):
        self._world = world
        self._balancers = world.balancers
        self._ask = wire.ask
        self._process = process

    def find(self, listeners):
        """Find the load balancers of listeners."""
        return self._ask(Kind.READ, "find", self._balancers.listed, listeners)

    def show(self, balancer_id):
        """Show one."""
        return self._ask(Kind.READ, "show", self._balancers.shown, balancer_id)

    def create(self, listener, share_with):
        """Make one."""
        return self._ask(Kind.CHANGE, "create balancer", self._balancers.created, listener, share_with)

    def add_nodes(self, balancer_id, addresses, port):
        """Add nodes."""
        self._change("add", self._balancers.added, balancer_id, addresses, port)

    def set_condition(self, balancer_id, node_ids, condition):
        """Set conditions."""
        self._change(f"set {condition}", self._balancers.conditioned, balancer_id, node_ids, condition)

    def remove_nodes(self, balancer_id, node_ids):
        """Remove nodes."""
        self._change("remove", self._balancers.removed, balancer_id, node_ids)

    def knowing(self, address):
        """Say which know an address."""
        return self._ask(Kind.READ, "knowing", self._balancers.knowing, address)

    def findings(self, listeners):
        """Everything can be made."""
        return self._ask(Kind.READ, "balancer findings", list)

    def node_limit(self):
        """Give the cloud's limit."""
        return self._world.node_limit

    def is_ours(self, balancer_id):
        """Say whether one is marked."""
        return self._ask(Kind.READ, "is ours", self._balancers.is_marked, balancer_id)

    def adopt(self, balancer_id):
        """Mark one."""
        self._ask(Kind.CHANGE, f"adopt {balancer_id}", self._balancers.mark, balancer_id)

    def owners(self, balancer_id):
        """Give for which servers nodes were added."""
        return self._ask(Kind.READ, "owners", self._balancers.names, balancer_id)

    def _change(self, what, act, balancer_id, *args):
        self._ask(Kind.NODES, f"{what} {balancer_id}", act, self._process.run, balancer_id, *args)


class SimulatedHosts:
    """The servers from inside (the port Hosts)."""

    def __init__(self, world, wire):
        self._world = world
        self._inside = world.insides
        self._wire = wire

    def awaits_reboot(self, server):
        """Say whether the first boot is still the only one."""
        if not self._world.first_boot_needs_another:
            return False
        return self._wire.run(Kind.PROBE, "awaits reboot", 1.0, self._inside.awaits_reboot, server)

    def set_up(self, server):
        """Run set-up."""
        self._stage("set up", server)

    def migrate(self, server):
        """Run migrations."""
        self._stage("migrate", server)

    def test(self, server):
        """Run tests."""
        self._stage("test", server)

    def check(self, server):
        """Start and check the app."""
        self._stage("check", server)

    def seal(self, server):
        """Lock everybody out."""
        self._stage("seal", server)

    def probe(self, server):
        """Ask the app once."""
        return self._ask("probe", self._inside.probe, server, lost=f"{server.name}: no answer")

    def probe_through(self, balancer):
        """Ask the app once, through a load balancer."""
        return self._ask("probe through", self._inside.probe_through, balancer, lost=f"{balancer.name}: no answer")

    def connections(self, server):
        """Count open connections; None when the server cannot be asked."""
        return self._ask("connections", self._inside.connections, server, lost=None)

    def _ask(self, call, look, subject, *, lost):
        try:
            return self._wire.run(Kind.PROBE, call, 0.1, look, subject)
        except HostUnreachable:
            return lost

    def stop(self):
        """End what runs."""
        self._wire.hang_up()

    def close(self):
        """Allow to begin again."""
        self._wire.dial_again()

    def _stage(self, stage, server):
        seconds = self._world.shape.stage()
        call = f"{stage} {server.labels.slot}"
        self._wire.run(Kind.STAGE, call, seconds, self._inside.stage, stage, server)


class SimulatedHooks:
    """The operator's own commands at the turning points (the port Hooks)."""

    def __init__(self, world, wire):
        self._world = world
        self._wire = wire

    def run(self, hook, about):
        """Run one."""
        return self._wire.run(Kind.PROBE, f"hook {hook}", 0.1, self._world.hooked, hook, about)

    def stop(self):
        """Do nothing: they end with what runs on servers."""

    def close(self):
        """Do nothing: they can run again with what runs on servers."""


class SimulatedWatcher:
    """The operator's own command (the port Watcher)."""

    def __init__(self, world, wire):
        self._world = world
        self._wire = wire

    def probe(self, about):
        """Run it once."""
        return self._wire.run(Kind.PROBE, "watch", 0.1, self._world.opinion, about)

    def stop(self):
        """Do nothing: it ends with what runs on servers."""

    def close(self):
        """Do nothing: it can run again with what runs on servers."""
