"""The simulated servers of an account: their builds, their metadata, and what is inside them."""

from tasks.errors import Conflict, HostUnreachable, Immutable, NotFound, QuotaExceeded
from tasks.rollout.claims import from_metadata
from tasks.rollout.labels import Labels
from tasks.rollout.model import Server, ServerStatus
from tests.simulation.faults import Fault
from tests.simulation.laws import Violation

LAG_SECONDS = 2.0
"""How far a list of servers may be behind."""


class Machine:
    """A server as it is, whatever anybody sees of it.

    :param broken: the world has broken it: what becomes of it is nobody's fault.
    """

    def __init__(self, number, name, metadata, created):
        self.id = f"id-{number}"
        self.name = name
        self.ip = f"10.0.{number // 250}.{number % 250}"
        self.metadata = metadata
        self.created = created
        self.status = ServerStatus.BUILD
        self.fault = ""
        self.up = False
        self.broken = False
        self.going = False
        self.locked = False
        self.reboots = 0
        self.updated = created
        self.stages = set()
        self._is_told = False
        self._view = None

    def __repr__(self):
        return self.name

    @property
    def generation(self):
        """Which deploy has made it; None when it is nobody's that we know."""
        return self.metadata.get("generation")

    def changed(self, **changes):
        """Change what the API tells of it."""
        for name, value in changes.items():
            setattr(self, name, value)
        self._is_told = False

    def view(self):
        """Give what the API tells of it; None when it is not ours."""
        if not self._is_told:
            self._is_told = True
            labels = Labels.from_metadata(self.metadata)
            self._view = labels and Server(
                id=self.id,
                name=self.name,
                status=self.status,
                private_ip=None if self.status is ServerStatus.BUILD else self.ip,
                created=self.created,
                labels=labels,
                fault=self.fault,
                updated=self.updated,
                claims=from_metadata(self.metadata),
            )
        return self._view


class Servers:
    """All servers of the account."""

    def __init__(self, world):
        self._world = world
        self._made = 0
        self._past = []
        self.by_id: dict[str, Machine] = {}

    # What an API does

    def listed(self):
        """List our servers as they are."""
        return tuple(filter(None, (machine.view() for machine in self.by_id.values())))

    def listed_lately(self):
        """List our servers as they were a while ago."""
        moment = self._world.kernel.time - self._world.random.uniform(0.0, LAG_SECONDS)
        return next((servers for ended, servers in self._past if ended > moment), None) or self.listed()

    def shown(self, server_id):
        """Show one of our servers."""
        view = self._known(server_id).view()
        if view is None:
            raise NotFound(f"{server_id} is none of ours")
        return view

    def created(self, request, fault=None):
        """Begin a build, which ends well unless it has this fault."""
        if self._world.room() == 0:
            raise QuotaExceeded("no more servers")
        claims = {claim.item: claim.to_value() for claim in request.claims}
        machine = self.make(request.name, {**request.labels.to_metadata(), **claims})
        view = machine.view()
        if fault is not Fault.BUILD_HANGS:
            self._world.kernel.after(self._world.shape.build(), self._built, machine, fault)
        return view

    def written(self, server_id, items):
        """Write metadata items, which Nova does not do while a server is being built."""
        machine = self._ours(server_id, "labelled")
        if machine.status is ServerStatus.BUILD:
            raise Immutable(f"{machine} is being built")
        self._remember()
        machine.changed(metadata={**machine.metadata, **items})

    def erased(self, server_id, name):
        """Remove a metadata item; one that is not there is no error."""
        if server_id in self.by_id:
            machine = self._ours(server_id, "labelled")
            self._remember()
            machine.changed(metadata={key: value for key, value in machine.metadata.items() if key != name})

    def deleted(self, server_id):
        """Begin to delete a server; one that is gone is no error."""
        machine = self.by_id.get(server_id)
        if machine is None or machine.going:
            return
        self._ours(server_id, "deleted")
        self._world.laws.may_go(machine)
        machine.going = True
        machine.up = False
        self._world.kernel.after(self._world.shape.quick(), self.remove, machine)

    def rebooted(self, server_id):
        """Begin to boot a server again."""
        machine = self._ours(server_id, "rebooted")
        if machine.status is not ServerStatus.ACTIVE:
            raise Conflict(f"{server_id} is {machine.status}")
        machine.reboots += 1
        machine.up = False
        machine.changed(status=ServerStatus.REBOOT)
        self._world.kernel.after(self._world.shape.build(), self._built, machine, None)

    def addresses(self):
        """Give every address in use."""
        return frozenset(machine.ip for machine in self.by_id.values())

    # What the world does

    def make(self, name, metadata):
        """Put a server into the world, which is being built."""
        self._made += 1
        machine = Machine(self._made, name, metadata, self._world.now().replace(microsecond=0))
        self._remember()
        self.by_id[machine.id] = machine
        return machine

    def remove(self, machine):
        """Take a server out of the world."""
        self._remember()
        self.by_id.pop(machine.id, None)

    def break_down(self, machine, fault):
        """Break a server: it is in ERROR, and its app does not answer."""
        self._world.balancers.excuse(machine)
        self._remember()
        machine.up = False
        machine.broken = True
        machine.changed(status=ServerStatus.ERROR, fault=fault)
        self._world.balancers.probe(machine)

    def crash(self, machine):
        """End the app of a server for good."""
        self._world.balancers.excuse(machine)
        machine.up = False
        machine.broken = True
        self._world.balancers.probe(machine)

    def inside(self, server):
        """Log in to a server."""
        machine = self.by_id.get(server.id)
        if machine is None or machine.going or machine.status is not ServerStatus.ACTIVE:
            raise HostUnreachable(f"{server.name} cannot be reached", server=server.name)
        if machine.metadata.get("sealed") == "yes":
            raise Violation(f"somebody logs in to {machine}, which is sealed")
        return machine

    def named(self, name):
        """Find the servers of a name."""
        return [machine for machine in self.by_id.values() if machine.name == name]

    def at(self, address):
        """Find the server that has an address."""
        return next((machine for machine in self.by_id.values() if machine.ip == address), None)

    def _built(self, machine, fault):
        if machine.id in self.by_id and machine.status in {ServerStatus.BUILD, ServerStatus.REBOOT}:
            if fault:
                self.break_down(machine, "No valid host was found")
            else:
                self._remember()
                machine.changed(status=ServerStatus.ACTIVE, updated=self._world.now())

    def _known(self, server_id):
        if server_id not in self.by_id:
            raise NotFound(f"{server_id} is gone")
        return self.by_id[server_id]

    def _ours(self, server_id, what):
        machine = self._known(server_id)
        if machine.view() is None:
            raise Violation(f"{machine}, a foreign server, was {what}")
        return machine

    def _remember(self):
        """Remember the list as it was until now, as long as somebody may still be shown it."""
        now = self._world.kernel.time
        self._past = [past for past in self._past if past[0] > now - LAG_SECONDS]
        self._past.append((now, self.listed()))
