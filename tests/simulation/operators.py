"""The simulated operators: each with a machine, a clock, connections and a site of their own."""

from contextlib import contextmanager, suppress
from functools import partial

from tasks.errors import Interrupted
from tasks.rollout.contenders import Operator as Identity
from tasks.rollout.on_servers import Limits
from tasks.rollout.site import Site
from tests.simulation.kernel import Process
from tests.simulation.ports import (
    SimulatedBalancers,
    SimulatedCompute,
    SimulatedHooks,
    SimulatedHosts,
    SimulatedWatcher,
)
from tests.simulation.threads import TaskLock, TaskWorkers, beating
from tests.simulation.wire import Wire

LIMITS = {"build": 60.0, "balancer": 60.0, "drain": 30.0, "delete": 30.0}


class OperatorClock:
    """The clock of an operator's machine. It goes on while the machine sleeps."""

    def __init__(self, process):
        self._kernel = process.kernel
        self._process = process
        self._stopped = False
        self._pausing = {}

    def now(self):
        """Give the seconds since the beginning."""
        return self._kernel.time

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


class SimulatedSite(Site):
    """A site whose claims are used by tasks, not threads."""

    @contextmanager
    def claiming(self, verb, generation):
        """Give a claim."""
        with super().claiming(verb, generation) as claimant:
            claimant._writing = TaskLock(self.clock._process)
            yield claimant


class Run:
    """One verb that an operator runs, and how it ended."""

    def __init__(self, operator, verb):
        self.operator = operator
        self.verb = verb
        self.error = None
        self.ended = False

    def __str__(self):
        return f"{self.operator.name} ({self.verb})"


class Operator:
    """A person at a machine. Who sits at the same one knows whether an operator's process has ended."""

    def __init__(self, world, name, *, machine="", wait=0.0, adopt=False, **limits):
        self._world = world
        self._machine = machine or name
        self._main = None
        self._has_gone_home = False
        self.runs: list[Run] = []
        self.name = name
        self.process = Process(world.kernel, name)
        self.process.run = Run(self, "by hand")
        wire = Wire(world, self.process)
        self.clock = wire.clock = OperatorClock(self.process)
        self.site = SimulatedSite(
            app="shop",
            environment="test",
            listeners=world.listeners,
            compute=SimulatedCompute(world, wire),
            balancers=SimulatedBalancers(world, wire, self.process),
            hosts=SimulatedHosts(world, wire),
            watcher=SimulatedWatcher(world, wire),
            hooks=SimulatedHooks(world, wire),
            operator=self._identity(),
            clock=self.clock,
            limits=Limits(**(LIMITS | limits)),
            listen=self._listen,
            wait=wait,
            adopt=adopt,
            workers=partial(TaskWorkers, self.process),
            beating=beating(self.process),
        )

    @property
    def is_done(self):
        """Whether nothing will come of him any more: his work is done, or he was killed at it."""
        return self._has_gone_home or not self.process.alive

    def start(self, work):
        """Begin with the work of a day, a function of the operator."""
        self._main = self.process.start(self._live, work)

    def run(self, verb, habits):
        """Run a verb to its end, however it ends."""
        run = self.process.run = Run(self, verb.__name__)
        self.runs.append(run)
        self._note(f"runs {run.verb}")
        try:
            verb(habits, self.site)
        except Exception as error:  # noqa: BLE001  it is for the scenario to judge
            run.error = error
        except KeyboardInterrupt:
            self._note("the second Ctrl-C: out at once")
            self._world.kernel.after(0.0, self.die)
            self.process.wait()
        run.ended = True
        self._note(f"has run {run.verb}", run.error or "all is well")

    def press_ctrl_c(self):
        """Interrupt the verb that runs."""
        self._note("Ctrl-C")
        task = self._main or self.process.root
        self._world.kernel.after(0.0, self.process.wake, task, task.turn, None, KeyboardInterrupt())

    def die(self):
        """Lose the process at once, as by kill -9."""
        self._note("KILLED")
        self.process.kill()

    def suspend(self, seconds):
        """Close the laptop's lid for some seconds."""
        self._note(f"sleeps for {seconds:g} s")
        self.process.suspend(seconds)

    def _live(self, work):
        with suppress(KeyboardInterrupt):  # at the prompt
            work(self)
        self._has_gone_home = True

    def _identity(self):
        world, named = self._world, f"{self._machine}:{self.name}"
        return Identity(owner=self.name, process=named, new_id=world.new_id, has_ended=self._knows_the_end_of)

    def _knows_the_end_of(self, named):
        machine, _, name = named.partition(":")
        return machine == self._machine and not self._world.operators[name].process.alive

    def _listen(self, event):
        self._world.said.append(event)
        self._note(event)

    def _note(self, what, how=""):
        self._world.trace.note(self._world.kernel.time, self.name, what, how)
