"""What happens in a simulation: one seed decides on a cloud, who does what on it, and what goes wrong."""

from datetime import timedelta

from tasks.errors import DeployError
from tasks.rollout import deploying
from tasks.rollout.model import Phase, ServerStatus
from tests.rollout.builders import HTTP, HTTPS, goal
from tests.simulation.faults import Chances, Fault
from tests.simulation.laws import Violation
from tests.simulation.wire import LATEST
from tests.simulation.world import Shape, World

RATES = (0.004, 0.02, 0.1)
MOST_POINTS = 250
MOST_EVENTS = 60_000
FOREIGN = ({"app": "blog", "environment": "test"}, {"app": "shop", "environment": "production"}, {})


class Scenario:
    """The story of one seed."""

    def __init__(self, seed):
        self.world = World(seed)
        self.random = self.world.random
        self.world.listeners = (HTTP, HTTPS)[: self.random.choice((1, 2, 2))]
        self.world.shape = Shape(self.random, monitored=self.random.random() < 0.7)
        self.world.drain_seconds = self.random.choice((0.0, 5.0, 5.0, 100.0))
        self.count = self.random.choice((1, 2, 2, 3))
        self._operators = []
        self._runs = []

    def play(self):
        """Let it happen, and then let somebody deploy in peace.

        :raises Violation: a law was broken.
        """
        try:
            self._happen()
        finally:
            for operator in self.world.operators.values():
                operator.process.kill()  # so that nothing of it is left hanging

    def _happen(self):
        self._furnish()
        self.world.freeze_capacity(self.count)
        self._spread_faults()
        self._send_operators()
        self._let_happen(lambda: all(run.is_over for run in self._runs))
        for run in self._runs:
            judge(run)
        self._calm_down()
        self._mend()
        self.world.laws.at_the_end(self.count)

    # What there is at the beginning

    def _furnish(self):
        world, servers = self.world, self.world.servers
        if self.random.random() < 0.85:
            for slot in range(1, self.random.choice((self.count, self.count, 1, 2)) + 1):
                self._old(slot, "20260201-120000-aa")
            for listener in world.listeners:
                balancer = world.balancers.make(listener)
                balancer.marked = True
                for machine in servers.by_id.values():
                    balancer.names[machine.ip] = machine.name
                    world.balancers.join(balancer, machine.ip, listener.node_port).proved = True
        world.kernel.let_pass(10.0)
        self._put_others()

    def _old(self, slot, generation):
        wanted = goal(self.count, self.world.listeners, generation=generation, release="r0").request(slot)
        labels = {"phase": Phase.SERVING.value, "migrated": "yes"}
        machine = self.world.servers.make(wanted.name, {**wanted.labels.to_metadata(), **labels})
        machine.changed(status=ServerStatus.ACTIVE)
        machine.up = True
        machine.stages |= {"set up", "migrate", "test", "check"}
        self.world.migrated.add(generation)

    def _put_others(self):
        """Put in what belongs to others, and what an earlier deploy has left behind."""
        world, node_port = self.world, HTTP.node_port
        for metadata in FOREIGN:
            if self.random.random() < 0.3:
                stranger = world.servers.make("stranger", metadata)
                stranger.changed(status=ServerStatus.ACTIVE)
                for balancer in world.balancers.by_id.values():
                    world.balancers.join(balancer, stranger.ip, node_port)
        if self.random.random() < 0.2:
            left = goal(self.count, world.listeners, generation="20260215-120000-bb", release="r0").request(1)
            world.servers.created(left)

    def _spread_faults(self):
        wild = self.random.random()
        rates = {fault: self.random.choice(RATES) for fault in Fault if self.random.random() < 0.4 * wild}
        self.world.chances = Chances(self.random, rates)

    # Who does what

    def _send_operators(self):
        self._send("ann", 0.0)
        if self.random.random() < 0.4:
            self._send("bob", self.random.expovariate(1 / 30))

    def _send(self, name, delay):
        operator = self.world.operator(name)
        self._operators.append(operator)
        if self.random.random() < 0.5:
            self._strike(operator)
        run = operator.start(deploying.deploy, self._goal(f"r-{name}"))
        self._runs.append(run)

    def _strike(self, operator):
        point, process = self.random.randrange(1, MOST_POINTS), operator.process
        blow = self.random.choice(("kill", "kill", "ctrl-c", "suspend", "ctrl-c twice"))
        match blow:
            case "kill":
                process.at_point[point] = operator.die
            case "suspend":
                seconds = self.random.choice((5.0, 50.0, 500.0))
                process.at_point[point] = lambda: operator.suspend(seconds)
            case _:
                process.at_point[point] = operator.press_ctrl_c
        if blow == "ctrl-c twice":
            process.at_point[point + self.random.randrange(1, 30)] = operator.die

    def _goal(self, release, skew=0.0):
        now = self.world.now() + timedelta(seconds=skew)
        name = f"{now:%Y%m%d-%H%M%S}-{release[-2:]}"
        return goal(self.count, self.world.listeners, generation=name, release=release)

    # How it goes on

    def _let_happen(self, enough):
        kernel, latest = self.world.kernel, self.world.kernel.happened + MOST_EVENTS
        while not enough():
            if kernel.happened > latest:
                raise Violation("it goes on and on")
            kernel.step()

    def _calm_down(self):
        """From now on nothing goes wrong any more; what is under way ends."""
        self.world.trace.note(self.world.kernel.time, "", "--- calm ---")
        self.world.chances = Chances(self.random, {})
        self.world.kernel.let_pass(LATEST + 60.0)

    def _mend(self):
        run = self.world.operator("zoe", wait=4000.0).start(deploying.deploy, self._goal("r-zoe"))
        self._let_happen(lambda: run.has_ended)
        if run.error:
            raise Violation(f"a deploy in peace failed: {run.error!r}") from run.error


def judge(run):
    """Require that a run which failed did so in words."""
    if run.error is not None and not isinstance(run.error, (DeployError, KeyboardInterrupt)):
        raise Violation(f"{run} ended with a bug: {run.error!r}") from run.error
