"""A simulated cloud with its servers, behind the rollout's ports: a virtual clock, no threads, faults at any call.

It keeps the rules that must never break and checks them after every act: no server with a node is deleted, no node that
gets requests is removed, and every load balancer has at least as many servers at any time as at the start.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from tasks.errors import CloudError, HostError, NotFound
from tasks.rollout.loop import Outcome, Perform
from tasks.rollout.model import Server, ServerRequest, ServerStatus
from tasks.rollout.observation import Observation
from tasks.rollout.on_servers import Limits
from tasks.rollout.site import Site
from tasks.rollout.steps import Step
from tests.rollout.builders import HTTP, HTTPS
from tests.simulation.balancers import SimulatedBalancers

BUILD_SECONDS = 3.0


class VirtualClock:
    """Time that passes only when somebody waits."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        """Give the seconds since the beginning."""
        return self.time

    def pause(self, seconds):
        """Let time pass at once."""
        self.time += seconds

    def stop(self):
        """Nothing waits in the background here."""

    def resume(self):
        """Nothing waits in the background here."""


class InTurn:
    """Workers that run one step at a time: the first that was started, when the loop wants an outcome."""

    def __init__(self, perform: Perform):
        self._perform = perform
        self._steps: list[tuple[Step, Observation]] = []

    def start(self, step, seen):
        """Remember a step."""
        self._steps.append((step, seen))

    def next(self):
        """Run the step that has waited longest."""
        step, seen = self._steps.pop(0)
        try:
            return Outcome(step=step, facts=self._perform(step, seen))
        except KeyboardInterrupt:
            self._steps.insert(0, (step, seen))  # it interrupts the loop, not the step
            raise
        except Exception as error:  # noqa: BLE001  as the threads do
            return Outcome(step=step, error=error)


class World:
    """The cloud, its load balancers and the insides of its servers; implements the ports Compute and Hosts."""

    def __init__(self):
        self.clock = VirtualClock()
        self.drain_seconds = 4.0
        self.said = []
        self.calls: list[str] = []
        self.fault: Callable[[str], Exception | None] = lambda _call: None
        self.first_boot_needs_another = False
        self._rebooted: set[str] = set()
        self._servers: dict[str, Server] = {}
        self._made = 0
        self._built_at: dict[str, float] = {}
        self.balancers = SimulatedBalancers(self.clock.now, self._called, self._check)
        self.ran: list[tuple[str, str]] = []
        self.locked: set[str] = set()
        self.capacity_at_start = 0

    def site(self, **limits):
        """Give a site on this world."""
        values = {"build": 60.0, "balancer": 60.0, "drain": 30.0, "delete": 30.0} | limits
        return Site(
            app="shop",
            environment="test",
            listeners=(HTTP, HTTPS),
            compute=self,
            balancers=self.balancers,
            hosts=self,
            clock=self.clock,
            limits=Limits(**values),
            listen=self.said.append,
            workers=InTurn,
        )

    def serving(self):
        """Give the names of the servers that get requests from every load balancer."""
        return {s.name for s in self._servers.values() if self._serves(s)}

    def names(self):
        """Give the names of all servers."""
        return {server.name for server in self._servers.values()}

    def freeze_capacity(self):
        """Remember how many servers every load balancer sends requests to: it may not become fewer."""
        self.capacity_at_start = self.capacity()

    def capacity(self):
        """Give the number of servers behind the load balancer that has the fewest."""
        alive = self._servers.values()
        return min(sum(balancer.sends_to(s) for s in alive) for balancer in self.balancers.all())

    # Compute

    def servers(self):
        """List the servers as they are now."""
        self._called("servers")
        return tuple(self._now(server) for server in self._servers.values())

    def create(self, request: ServerRequest):
        """Begin a build."""
        self._called(f"create {request.labels.slot}")
        return self._create(request)

    def _create(self, request):
        self._made += 1
        number = self._made
        server = Server(
            id=f"id-{number}",
            name=request.name,
            status=ServerStatus.BUILD,
            private_ip=f"10.0.{number // 250}.{number % 250}",
            created=datetime(2026, 1, 1, tzinfo=UTC),
            labels=request.labels,
        )
        self._servers[server.id] = server
        self._built_at[server.id] = self.clock.time + BUILD_SECONDS
        return server

    def server(self, server_id):
        """Show a server."""
        self._called("server")
        if server_id not in self._servers:
            raise NotFound("gone")
        return self._now(self._servers[server_id])

    def label(self, server):
        """Write labels."""
        self._called("label")
        self._servers[server.id] = replace(self._servers[server.id], labels=server.labels)

    def delete(self, server_id):
        """Delete a server, which must have no node anywhere."""
        self._called("delete")
        server = self._servers[server_id]
        assert not any(balancer.nodes_of(server) for balancer in self.balancers.all()), f"{server.name} has a node"
        del self._servers[server_id]
        self._check()

    def reboot(self, server_id):
        """Boot a server again: until then it is in REBOOT."""
        self._called("reboot")
        self._rebooted.add(server_id)
        self._servers[server_id] = replace(self._servers[server_id], status=ServerStatus.REBOOT)
        self._built_at[server_id] = self.clock.time + BUILD_SECONDS

    def console(self, server_id):
        """Nothing is printed here."""
        return ""

    def problems(self, extra_servers):
        """Everything fits."""
        self._called("problems")
        return []

    def die(self, server_id, fault="No valid host was found"):
        """Let a build fail."""
        self._servers[server_id] = replace(self._servers[server_id], status=ServerStatus.ERROR, fault=fault)

    # Hosts

    def awaits_reboot(self, server):
        """Say whether the first boot is still the only one."""
        return self.first_boot_needs_another and server.id not in self._rebooted

    def set_up(self, server):
        """Run set-up."""
        self._run("set up", server)

    def migrate(self, server):
        """Run migrations."""
        self._run("migrate", server)

    def test(self, server):
        """Run tests."""
        self._run("test", server)

    def check(self, server):
        """Check the app."""
        self._run("check", server)

    def seal(self, server):
        """Lock everybody out."""
        self._run("seal", server)
        self.locked.add(server.id)

    def connections(self, server):
        """Count connections: none is left some seconds after the draining began."""
        self._called("connections")
        assert server.id not in self.locked, f"{server.name} is sealed, and was asked all the same"
        since = self.balancers.draining_since.get(server.private_ip, self.clock.time)
        return 0 if self.clock.time - since >= self.drain_seconds else 3

    def stop(self):
        """Nothing runs in the background here."""

    def close(self):
        """There are no connections."""

    def _run(self, stage, server):
        self._called(f"{stage} {server.labels.slot}")
        if server.id not in self._servers:
            raise HostError("unreachable", server=server.name)
        assert server.id not in self.locked, f"{stage} on {server.name}, which is sealed"
        assert self._now(self._servers[server.id]).status is ServerStatus.ACTIVE, f"{stage} on a server that is down"
        self.ran.append((stage, server.name))
        self.clock.time += 1

    def _called(self, call):
        self.calls.append(call)
        error = self.fault(call)
        if error is not None:
            raise error

    def _now(self, server):
        booting = server.status in {ServerStatus.BUILD, ServerStatus.REBOOT}
        built = booting and self.clock.time >= self._built_at[server.id]
        return replace(server, status=ServerStatus.ACTIVE) if built else server

    def _serves(self, server):
        return bool(self.balancers.all()) and all(balancer.sends_to(server) for balancer in self.balancers.all())

    def _check(self):
        if self.capacity_at_start:
            assert self.capacity() >= self.capacity_at_start, "fewer servers serve than at the start"


def refused(call):
    """Give a fault that refuses one kind of call, once."""
    left = [call]

    def fault(now):
        if left and now == left[0]:
            left.pop()
            return CloudError(f"{call} was refused", status=500)
        return None

    return fault
