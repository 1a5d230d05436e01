"""The simulated operators: each with a machine, a clock, connections and a site of their own."""

from tasks.errors import Interrupted
from tasks.rollout.loop import Outcome
from tasks.rollout.on_servers import Limits
from tasks.rollout.site import Site
from tests.simulation.kernel import Process
from tests.simulation.ports import SimulatedBalancers, SimulatedCompute, SimulatedHosts
from tests.simulation.wire import Wire

LIMITS = {"build": 60.0, "balancer": 60.0, "drain": 30.0, "delete": 30.0}


class OperatorClock:
    """The clock of an operator's machine: it stands still while the machine sleeps."""

    def __init__(self, process):
        self._kernel = process.kernel
        self._process = process
        self._stopped = False
        self._pausing = {}

    @property
    def time(self):
        """The seconds since the beginning."""
        return self._kernel.time - self._process.slept

    def now(self):
        """Give the seconds since the beginning."""
        return self._kernel.time - self._process.slept

    def pause(self, seconds):
        """Let time pass."""
        if self._stopped:
            raise Interrupted("stopped while waiting")
        task = self._process.task
        self._pausing[task] = task.turn
        self._kernel.after(seconds, self._process.wake, task, task.turn)
        try:
            self._process.wait()
        finally:
            del self._pausing[task]

    def stop(self):
        """End all waits."""
        self._stopped = True
        for task, turn in self._pausing.items():
            self._kernel.after(0.0, self._process.wake, task, turn, None, Interrupted("stopped while waiting"))

    def resume(self):
        """Allow waits again."""
        self._stopped = False


class TaskWorkers:
    """Runs each step in a task of its own."""

    def __init__(self, process, perform):
        self._process = process
        self._perform = perform
        self._outcomes = []
        self._waiting = None

    def start(self, step, seen):
        """Begin a step."""
        self._process.start(self._run, step, seen)

    def next(self):
        """Wait for the next step to end. Ctrl-C interrupts the wait, not the step."""
        while not self._outcomes:
            self._waiting = (self._process.task, self._process.task.turn)
            self._process.wait()
        return self._outcomes.pop(0)

    def _run(self, step, seen):
        try:
            outcome = Outcome(step=step, facts=self._perform(step, seen))
        except Exception as error:  # noqa: BLE001  as the threads do
            outcome = Outcome(step=step, error=error)
        self._outcomes.append(outcome)
        if self._waiting:
            self._process.kernel.after(0.0, self._process.wake, *self._waiting)


class Run:
    """One verb that an operator runs, and how it ended."""

    def __init__(self, operator, verb):
        self._operator = operator
        self.verb = verb
        self.value = None
        self.error = None
        self.has_ended = False

    @property
    def is_over(self):
        """Whether nothing of it will happen any more, be it that it has ended or that it was killed."""
        return self.has_ended or not self._operator.process.alive

    def __str__(self):
        return f"{self._operator.name} ({self.verb})"


class Operator:
    """A person at a machine."""

    def __init__(self, world, name, **limits):
        self._world = world
        self.name = name
        self.process = Process(world.kernel, name)
        self.process.run = Run(self, "by hand")
        self.clock = OperatorClock(self.process)
        self._main = None
        wire = Wire(world, self.process, self.clock)
        self.site = Site(
            app="shop",
            environment="test",
            listeners=world.listeners,
            compute=SimulatedCompute(world, wire, self.process),
            balancers=SimulatedBalancers(world, wire, self.process),
            hosts=SimulatedHosts(world, wire),
            clock=self.clock,
            limits=Limits(**(LIMITS | limits)),
            listen=self._listen,
            workers=self._workers,
        )

    def start(self, verb, *args):
        """Begin a verb, such as a deploy; give the run, which ends some time."""
        run = Run(self, verb.__name__)
        self._main = self.process.start(self._run, run, verb, args)
        return run

    def press_ctrl_c(self):
        """Interrupt the verb that runs."""
        self._world.trace.note(self._world.kernel.time, self.name, "Ctrl-C")
        task = self._main or self.process.root
        self._world.kernel.after(0.0, self.process.wake, task, task.turn, None, KeyboardInterrupt())

    def die(self):
        """Lose the process at once, as by kill -9."""
        self._world.trace.note(self._world.kernel.time, self.name, "KILLED")
        self.process.kill()

    def suspend(self, seconds):
        """Close the laptop's lid for some seconds."""
        self._world.trace.note(self._world.kernel.time, self.name, f"sleeps for {seconds:g} s")
        self.process.suspend(seconds)

    def _run(self, run, verb, args):
        self.process.run = run
        trace, kernel = self._world.trace, self._world.kernel
        trace.note(kernel.time, self.name, f"runs {run.verb}")
        try:
            run.value = verb(*args, self.site)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  it is for the scenario to judge
            run.error = error
        run.has_ended = True
        trace.note(kernel.time, self.name, f"has run {run.verb}", run.error or "all is well")

    def _workers(self, perform):
        return TaskWorkers(self.process, perform)

    def _listen(self, event):
        self._world.said.append(event)
        self._world.trace.note(self._world.kernel.time, self.name, event)
