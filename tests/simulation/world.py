"""A simulated cloud, its servers and its operators, in virtual time: all that a seed decides is decided here."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from tasks.errors import CloudError
from tasks.findings import fine, wrong
from tests.rollout.builders import HTTP, HTTPS
from tests.simulation.balancers import Balancers
from tests.simulation.faults import Fault
from tests.simulation.insides import Insides
from tests.simulation.kernel import Kernel
from tests.simulation.laws import Laws
from tests.simulation.operators import LIMITS, Operator
from tests.simulation.servers import Servers
from tests.simulation.trace import Trace

EPOCH = datetime(2026, 3, 1, tzinfo=UTC)


class Shape:
    """How fast a cloud is, in seconds, whether its load balancers look after their nodes, and its clocks agree."""

    def __init__(self, random, *, monitored=True, speed=1.0, skewed=False):
        self._random = random
        self._skewed = skewed
        self.monitored = monitored
        self.speed = speed

    def skew(self):
        """Give how far the clock is off that an operator is told the time by."""
        return self._random.uniform(-4.0, 4.0) if self._skewed else 0.0

    def build(self):
        """Give how long a server takes to boot."""
        return self._random.uniform(3.0, 12.0) * self.speed

    def pending(self):
        """Give how long a load balancer is busy with a change."""
        return self._random.uniform(0.1, 1.5) * self.speed

    def quick(self):
        """Give how long it takes until a server is deleted, or a health monitor has looked."""
        return self._random.uniform(0.2, 3.0) * self.speed

    def stage(self):
        """Give how long a command on a server takes."""
        return self._random.uniform(0.5, 4.0) * self.speed


class World:
    """Everything. Without further words nothing goes wrong in it; `fault` may say what does, call by call."""

    def __init__(self, seed=0, listeners=(HTTP, HTTPS)):
        self.random = Random(seed)
        self.kernel = Kernel()
        self.trace = Trace()
        self.listeners = listeners
        self.shape = Shape(self.random)
        self.chances = None
        self.fault: Callable[[str], Fault | Exception | None] = lambda _call: None
        self.first_boot_needs_another = False
        self.drain_limit = LIMITS["drain"]
        self.drain_seconds = 4.0
        self.node_limit = 25  # as Rackspace has it
        self.quota: int | None = None
        self.is_calm = False
        self.failing: set[str] = set()
        self.mute: set[str] = set()
        self.calls: list[str] = []
        self.said = []
        self.ran: list[tuple[str, str]] = []
        self.migrated: set[str] = set()
        self.operators: dict[str, Operator] = {}
        self.laws = Laws(self)
        self.servers = Servers(self)
        self.balancers = Balancers(self)
        self.insides = Insides(self)

    def strike(self, kind, call):
        """Give what goes wrong with a call; None when nothing does."""
        return self.chances.strike(kind) if self.chances else self.fault(call)

    def operator(self, name="tester", **means):
        """Give a new operator."""
        self.drain_limit = means.get("drain", self.drain_limit)
        self.operators[name] = Operator(self, name, **means)
        return self.operators[name]

    def site(self, **means):
        """Give the site of a new operator."""
        return self.operator(**means).site

    def now(self):
        """Give the true time."""
        return EPOCH + timedelta(seconds=self.kernel.time)

    def note(self, what):
        """Write down what has happened by itself."""
        self.trace.note(self.kernel.time, "", what)

    def new_id(self):
        """Give an id that nobody else has."""
        return f"{self.random.getrandbits(32):08x}"

    def last_connection(self):
        """Give how long the connections to a server last that gets no new requests."""
        return self.random.uniform(0.25, 1.0) * self.drain_seconds

    def room(self):
        """Give how many more servers fit into the quota."""
        return None if self.quota is None else self.quota - len(self.servers.by_id)

    def findings(self, extra_servers):
        """Say whether the quota has room."""
        has_room = self.quota is None or extra_servers <= self.room()
        return [fine("quota", "room") if has_room else wrong("quota", "the quota is too small", "lower `count`")]

    def opinion(self, about):
        """Say what an operator's own command finds: nothing is wrong."""
        return ""

    def hooked(self, hook, about):
        """Say what is wrong with a command of an operator's at a turning point: nothing is."""
        return ""

    # What is true

    def serving(self):
        """Give the names of our servers that get requests from every load balancer."""
        every = [balancer.view(0.0) for balancer in self.balancers.by_id.values() if not balancer.foreign]
        return {s.name for s in self.servers.listed() if every and all(balancer.sends_to(s) for balancer in every)}

    def names(self):
        """Give the names of our servers."""
        return {server.name for server in self.servers.listed()}

    def freeze_capacity(self, most=99):
        """From now on every load balancer has to send requests to as many servers as now, or to `most`."""
        self.laws.begin(most)


def once(call, fault):
    """Give a script by which one kind of call goes wrong, the first time."""
    left = [call]

    def script(now):
        return fault if left and now == left[0] and left.pop() else None

    return script


def refused(call):
    """Give a script by which one kind of call is refused, the first time."""
    return once(call, CloudError(f"{call} was refused", status=500))
