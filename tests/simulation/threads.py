"""What threads do in a real site, done by tasks of one operator's process: steps, the heartbeat, and a lock."""

from contextlib import contextmanager

from tasks.rollout.loop import Outcome


class TaskWorkers:
    """Runs each step in a task of its own (the protocol Workers)."""

    def __init__(self, process, perform):
        self._process = process
        self._perform = perform
        self._outcomes = []
        self._bell = Bell(process)

    def start(self, step, seen):
        """Begin a step."""
        self._process.start(self._run, step, seen)

    def next(self):
        """Wait for the next step to end. Ctrl-C interrupts the wait, not the step."""
        while not self._outcomes:
            self._bell.wait()
        return self._outcomes.pop(0)

    def _run(self, step, seen):
        try:
            outcome = Outcome(step=step, facts=self._perform(step, seen))
        except Exception as error:  # noqa: BLE001  as the threads do
            outcome = Outcome(step=step, error=error)
        self._outcomes.append(outcome)
        self._bell.ring()


class TaskLock:
    """A lock that a task may take again while it has it."""

    def __init__(self, process):
        self._process = process
        self._owner = None
        self._depth = 0
        self._freed = Bell(process)

    def __enter__(self):
        me = self._process.task
        while self._owner not in {None, me}:
            self._freed.wait()
        self._owner = me
        self._depth += 1
        return True

    def __exit__(self, *_error):
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._freed.ring()


class Bell:
    """Wakes all tasks that wait for it."""

    def __init__(self, process):
        self._process = process
        self._waiting = []

    def wait(self):
        """Wait until somebody rings; it may be for somebody else."""
        task = self._process.task
        self._waiting.append((task, task.turn))
        self._process.wait()

    def ring(self):
        """Wake who waits."""
        waiting, self._waiting = self._waiting, []
        for task, turn in waiting:
            self._process.kernel.after(0.0, self._process.wake, task, turn)


def beating(process):
    """Give what calls an act every so many seconds for as long as a context lasts (`tasks.waiting.beating`)."""

    @contextmanager
    def beats(act, seconds):
        heart = _Heart(process, act, seconds)
        process.start(heart.beat)
        try:
            yield
        finally:
            heart.stop()

    return beats


class _Heart:
    def __init__(self, process, act, seconds):
        self._process = process
        self._act = act
        self._seconds = seconds
        self._resting = None
        self._is_to_end = self._has_ended = False
        self._end = Bell(process)

    def beat(self):
        while not self._is_to_end:
            task = self._process.task
            self._resting = (task, task.turn)
            self._process.kernel.after(self._seconds, self._process.wake, *self._resting)
            self._process.wait()
            self._resting = None
            if not self._is_to_end:
                self._act()
        self._has_ended = True
        self._end.ring()

    def stop(self):
        self._is_to_end = True
        if self._resting:
            self._process.kernel.after(0.0, self._process.wake, *self._resting)
        while not self._has_ended:
            self._end.wait()
