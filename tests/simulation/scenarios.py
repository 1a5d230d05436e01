"""What happens in a simulation: one seed decides on a cloud, who does what on it, and what goes wrong."""

from tasks.errors import DeployError
from tests.simulation import people
from tests.simulation.furnishing import furnish
from tests.simulation.laws import Violation
from tests.simulation.mishaps import end_faults, plan_mishaps, spread_faults, strike
from tests.simulation.people import Habits
from tests.simulation.wire import LATEST
from tests.simulation.world import World

MOST_EVENTS = 60_000
IN_PEACE = "r9"


class Scenario:
    """The story of one seed."""

    def __init__(self, seed):
        self.world = World(seed)
        self._random = self.world.random
        self._count = self._random.choice((1, 2, 2, 3))

    def play(self):
        """Let it happen, and then let somebody deploy in peace.

        :raises Violation: a law was broken.
        """
        try:
            furnish(self.world, self._random, self._count)
            self.world.freeze_capacity(self._count)
            self._let_people_work()
            self._let_one_mend()
        finally:
            for operator in self.world.operators.values():
                operator.process.kill()  # so that nothing of it is left hanging

    def _let_people_work(self):
        spread_faults(self.world, self._random)
        plan_mishaps(self.world, self._random)
        if self._random.random() < 0.15:
            self.world.failing.add("r2")
        if self._random.random() < 0.15:
            self.world.mute.add("r3")
        self._send("ann", 0.0)
        if self._random.random() < 0.4:
            self._send("bob", self._random.expovariate(1 / self._random.choice((5.0, 40.0, 150.0))))
        self._let_work(*self.world.operators.values())

    def _send(self, name, after):
        wait = self._random.choice((0.0, 0.0, 300.0))
        machine, adopts = self._random.choice(("", "", "shared")), self._random.random() < 0.5
        operator = self.world.operator(name, machine=machine, wait=wait, adopt=adopts)
        if self._random.random() < 0.5:
            strike(operator, self._random)
        habits = Habits(self.world, self._random, self._count)
        self.world.kernel.after(after, operator.start, people.day(habits, self._random))

    def _let_one_mend(self):
        """Let all that is under way end, and then somebody deploy while nothing goes wrong."""
        self.world.note("--- from now on all is calm ---")
        end_faults(self.world, self._random)
        self.world.kernel.let_pass(LATEST + 60.0)
        habits = Habits(self.world, self._random, self._count)
        habits.release = self._random.choice(sorted({IN_PEACE, "r1"} - self.world.failing - self.world.mute))
        zoe = self.world.operator("zoe", wait=4000.0, adopt=True)
        zoe.start(people.in_peace(habits))
        self._let_work(zoe)
        error = zoe.runs[-1].error
        if error:
            raise Violation(f"a deploy in peace failed: {error!r}") from error
        self.world.laws.at_the_end(self._count)

    def _let_work(self, *operators):
        """Let happen what happens until these are done, and judge what became of it."""
        kernel, latest = self.world.kernel, self.world.kernel.happened + MOST_EVENTS
        for operator in operators:
            while not operator.is_done:
                if kernel.happened > latest:
                    raise Violation("it goes on and on")
                kernel.step()
        for run in (run for operator in operators for run in operator.runs):
            _judge(run)


def _judge(run):
    """Require that a run which failed did so in words."""
    if run.error is not None and (not isinstance(run.error, DeployError) or "a bug: " in str(run.error)):
        raise Violation(f"{run} ended with a bug: {run.error!r}") from run.error
