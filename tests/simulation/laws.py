"""What must hold at every moment of a simulation, whatever goes wrong."""

from tasks.rollout.model import Condition


class Violation(BaseException):
    """A law of the simulation was broken. No code under test may catch it."""


class Laws:
    """Watches the world: it is told of every change before or after it happens, and raises a Violation.

    :param floors: how many of our servers each load balancer has to send requests to, by its name.
    """

    def __init__(self, world):
        self._world = world
        self.floors: dict[str, int] = {}
        self._last = None
        self._had_their_turn = set()

    def begin(self, most):
        """Hold the world to the capacity that it has now, as far as `most` servers are wanted."""
        every = self._world.balancers.by_id.values()
        self.floors = {balancer.name: min(self.capacity(balancer), most) for balancer in every if not balancer.foreign}

    def lower(self, most):
        """Hold the world to no more than so many: somebody wants no more."""
        self.floors = {name: min(floor, most) for name, floor in self.floors.items()}

    def capacity(self, balancer):
        """Count the nodes of ours that get requests, and whose app has been seen to answer by the load balancer."""
        return sum(_carries(node) for node in balancer.nodes.values())

    def excuse(self, balancer, node):
        """Ask for one less on a load balancer: the world is about to break a node that carries load."""
        if _carries(node) and self.floors.get(balancer.name):
            self.floors[balancer.name] -= 1

    def enough(self, balancer):
        """Require that a load balancer, which was changed, has its capacity."""
        floor = self.floors.get(balancer.name, 0)
        if floor and self.capacity(balancer) < floor:
            raise Violation(
                f"{balancer.name} sends requests to {self.capacity(balancer)} servers; {floor} are the least"
            )

    def may_serve(self, machine, balancer):
        """Require that a server which is to get requests has passed everything."""
        if machine is None or machine.broken or machine.going:
            return
        missing = {"set up", "test", "check"} - machine.stages
        if missing or not machine.up:
            raise Violation(f"{machine} gets requests from {balancer.name} before {sorted(missing) or 'its app is up'}")
        if machine.generation not in self._world.migrated:
            raise Violation(f"{machine} gets requests before the migrations of {machine.generation} have run")

    def may_migrate(self, machine):
        """Require that the migrations of a generation run once, as far as its servers tell."""
        told = [m for m in self._world.servers.by_id.values() if m.metadata.get("migrated") == "yes"]
        if any(other.generation == machine.generation for other in told):
            raise Violation(f"the migrations of {machine.generation} ran again, on {machine}")

    def may_leave(self, node, balancer):
        """Require that a node which is removed gets no requests, and has none open before the drain limit."""
        machine, now = node.machine, self._world.kernel.time
        if node.foreign:
            raise Violation(f"a foreign node, {node.address}, was removed from {balancer.name}")
        if machine is None or machine.broken or not machine.up:
            return
        if node.condition is Condition.ENABLED and node.proved:
            raise Violation(f"{machine} was removed from {balancer.name} while it gets requests")
        if now < node.idle_at and now < node.resting_since + self._world.drain_limit:
            raise Violation(f"{machine} was removed from {balancer.name} with connections open, before the drain limit")

    def may_go(self, machine):
        """Require that no load balancer knows a server that is deleted."""
        every = self._world.balancers.by_id.values()
        knowing = [
            balancer.name for balancer in every if any(node.machine is machine for node in balancer.nodes.values())
        ]
        if knowing:
            raise Violation(f"{machine} was deleted while {', '.join(knowing)} has a node at it")

    def foreign(self, node, balancer):
        """Somebody has changed a node that is not ours."""
        raise Violation(f"a foreign node, {node.address} of {balancer.name}, was changed")

    def takes_turn(self, who):
        """Require that two operators do not change nodes by turns: one that was overtaken has to keep still."""
        if who is self._last:
            return
        if who in self._had_their_turn:
            raise Violation(f"{who} changes nodes again after {self._last} has begun to")
        self._had_their_turn.add(who)
        self._last = who

    def at_the_end(self, count):
        """Require that all is well after a deploy in peace: one generation serves everywhere, and nothing is left."""
        every = [balancer for balancer in self._world.balancers.by_id.values() if not balancer.foreign]
        ours = self._world.servers.listed()
        serving = self._world.serving()
        if len(serving) != count:
            raise Violation(f"in the end {sorted(serving)} serve; {count} were wanted")
        if len({server.labels.generation for server in ours if server.name in serving}) > 1:
            raise Violation(f"in the end servers of several generations serve: {sorted(serving)}")
        left = sorted(server.name for server in ours if server.name not in serving and not server.labels.parked)
        if left:
            raise Violation(f"in the end servers are left over: {left}")
        nodes = [node for balancer in every for node in balancer.nodes.values() if not node.foreign]
        if len(nodes) != count * len(every):
            raise Violation(f"in the end nodes are left over: {sorted(node.address for node in nodes)}")
        claims = sorted(claim.id for server in ours for claim in server.claims)
        if claims:
            raise Violation(f"in the end claims are left over: {claims}")


def _carries(node):
    good = node.proved and not node.foreign and not node.machine.broken
    return good and node.condition is Condition.ENABLED
