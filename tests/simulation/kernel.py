"""The kernel of the simulation: virtual time, and tasks that take turns at it. Knows nothing of clouds or deploys.

Everything that happens is an event at a moment of virtual time. A task is a greenlet: it runs until it waits, and an
event wakes it. Who starts the simulation is a task too: while it waits, the events happen inside its wait.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from greenlet import getcurrent, greenlet


class Killed(BaseException):
    """Thrown into every task of a process that was killed, and raised by whatever such a task still tries."""


class Stuck(BaseException):
    """Somebody waits, and nothing is left that could happen."""


class Kernel:
    """Virtual time in seconds, and what will happen when."""

    def __init__(self):
        self.time = 0.0
        self.happened = 0
        self.running: Task | None = None
        self.hub = getcurrent()
        self._events = []
        self._number = count()

    def after(self, seconds, act, *args):
        """Let something happen some seconds from now; what is due at the same moment happens in the order asked."""
        heappush(self._events, (self.time + seconds, next(self._number), act, args))

    def step(self):
        """Let the next event happen.

        :raises Stuck: there is none.
        """
        if not self._events:
            raise Stuck
        self.time, _, act, args = heappop(self._events)
        self.happened += 1
        act(*args)

    def run(self, *, enough: Callable[[], bool]):
        """Let events happen until it is enough."""
        while not enough():
            self.step()

    def let_pass(self, seconds):
        """Let time pass, and what is due in it happen."""
        until = self.time + seconds
        while self._events and self._events[0][0] <= until:
            self.step()
        self.time = until


class Task:
    """One thread of control of a process. `turn` counts its waits, so that a wake-up that comes too late is known."""

    __slots__ = ("_kernel", "_woken", "greenlet", "turn")

    def __init__(self, kernel, act=None):
        self._kernel = kernel
        self.turn = 0
        self.greenlet = greenlet(act, parent=kernel.hub) if act else None
        self._woken = None

    def wait(self):
        """Let others run until this task is woken; give what it is woken with, or raise it."""
        if self.greenlet is not None:
            return self._kernel.hub.switch()
        turn = self.turn
        self._kernel.run(enough=lambda: self.turn != turn)
        value, error = self._woken
        if error:
            raise error
        return value

    def wake(self, value=None, error=None):
        """Go on with this task at once, until it waits again or ends."""
        self.turn += 1
        if self.greenlet is None:
            self._woken = (value, error)
            return
        self._kernel.running = self
        if error:
            self.greenlet.throw(error)
        else:
            self.greenlet.switch(value)
        self._kernel.running = None


class Process:
    """Tasks that live and die together, on a machine that may sleep: one operator's command.

    `at_point` holds what happens when a task of it waits for the n-th time: kills and other blows from outside.
    """

    def __init__(self, kernel: Kernel, name: str):
        self.kernel = kernel
        self.name = name
        self.alive = True
        self.points = 0
        self.at_point: dict[int, Callable[[], None]] = {}
        self._asleep_since: float | None = None
        self._missed = []
        self._tasks: dict[Task, None] = {}
        self.root = Task(kernel)

    @property
    def task(self):
        """The task that runs now; outside of all tasks, the one that has started the simulation."""
        return self.kernel.running or self.root

    def start(self, act, *args):
        """Begin a task, which runs as soon as others let it."""
        task = Task(self.kernel, lambda _: self._run(act, args))
        self._tasks[task] = None
        self.kernel.after(0.0, self.wake, task, 0)
        return task

    def wait(self):
        """Let others run until the task that runs now is woken.

        :raises Killed: the process is dead.
        """
        if not self.alive:
            raise Killed
        self.points += 1
        if self.points in self.at_point:
            self.kernel.after(0.0, self.at_point.pop(self.points))
        return self.task.wait()

    def wake(self, task, turn, value=None, error=None):
        """Wake a task, unless it was woken from this wait already; while the machine sleeps, afterwards."""
        if self._asleep_since is not None:
            self._missed.append((self.kernel.time - self._asleep_since, task, turn, value, error))
        elif self.alive and task.turn == turn:
            task.wake(value, error)

    def kill(self):
        """End all tasks where they are. What they have asked others to do is done all the same."""
        self.alive = False
        self.at_point.clear()
        for task in list(self._tasks):
            if task.greenlet:  # a greenlet is true while it runs: this one has begun
                task.wake(error=Killed())

    def suspend(self, seconds):
        """Let the machine sleep: nothing runs on it, and what is due then comes later."""
        if self._asleep_since is None:
            self._asleep_since = self.kernel.time
            self.kernel.after(seconds, self._wake_up)

    @property
    def is_asleep(self):
        """Whether the machine sleeps."""
        return self._asleep_since is not None

    def _wake_up(self):
        self._asleep_since = None
        for delay, *wake in self._missed:
            self.kernel.after(delay, self.wake, *wake)
        self._missed.clear()

    def _run(self, act, args):
        task = self.kernel.running
        try:
            act(*args)
        except Killed:
            pass
        finally:
            del self._tasks[task]
