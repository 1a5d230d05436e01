"""Between one operator and the cloud: every call takes time before it has its effect and again until it is answered.

So calls of one operator and of several interleave in every order that they could. A call that was sent has its effect
even if its sender is gone by then.
"""

from tasks.errors import DeployError, HostError, Interrupted
from tests.simulation.faults import TIMEOUT_SECONDS, Fault, error
from tests.simulation.kernel import Killed

DONE_ALL_THE_SAME = {Fault.LOST, Fault.SILENT_DONE, Fault.SSH_CUT}
SILENT = {Fault.SILENT, Fault.SILENT_DONE}
LATEST = 40.0
"""Seconds after which a create whose answer was lost has had its effect."""


class Wire:
    """One operator's connections."""

    def __init__(self, world, process):
        self._world = world
        self._kernel = world.kernel
        self._process = process
        self.clock = None
        self._random = world.random
        self._sessions = {}
        self._hung_up = False

    def ask(self, kind, call, effect, *args):
        """Call a cloud API: give what `effect(*args)` gives when it happens, or raise what it raises."""
        fault = self._heard(kind, call)
        if fault is None:
            return self._send(self._soon(), effect, args)
        if isinstance(fault, Exception):
            return self._send(self._soon(), _fail, (fault,))
        if fault is Fault.RATE_LIMITED:
            self.clock.pause(self._random.uniform(1.0, 20.0))
            return self._send(self._soon(), effect, args)
        return self._struck(fault, kind, call, effect, args)

    def run(self, kind, call, seconds, effect, *args):
        """Run something on a server over SSH, which takes so long."""
        if self._hung_up:
            raise Interrupted("stopped")
        fault = self._heard(kind, call)
        if isinstance(fault, Exception):
            effect, args = _fail, (fault,)
        elif fault in {Fault.SSH_REFUSED, Fault.STAGE_FAILS, Fault.WRONG_KEY}:
            effect, args = _fail, (error(fault, kind, call),)
        elif fault is Fault.SSH_CUT:
            effect, args = _lose, (effect, args, error(fault, kind, call))
        session = _Session()
        self._sessions[session] = None
        session.task, session.turn = self._process.task, self._process.task.turn
        try:
            return self._send(seconds, session.run, (effect, args))
        finally:
            del self._sessions[session]

    def hang_up(self):
        """End everything that runs on servers; what it does there may be done by then or not."""
        self._hung_up = True
        for session in self._sessions:
            session.ended = self._random.random() < 0.5
            stopped = HostError("stopped", server="x")
            self._kernel.after(0.0, self._process.wake, session.task, session.turn, None, stopped)

    def dial_again(self):
        """Allow new connections."""
        self._hung_up = False

    def _heard(self, kind, call):
        if not self._process.alive:
            raise Killed
        world = self._world
        world.calls.append(call)
        fault = world.strike(kind, call)
        world.trace.note(self._kernel.time, self._process.name, call, fault or "")
        return fault

    def _struck(self, fault, kind, call, effect, args):
        match fault:
            case Fault.STALE:
                return self._send(self._soon(), self._world.servers.listed_lately, ())
            case Fault.FORGOTTEN:
                return self._send(self._soon(), _nothing, ())
            case Fault.BUSY:
                return self._send(self._soon(), self._world.balancers.occupied, (effect, args))
            case Fault.BUILD_DIES | Fault.BUILD_HANGS:
                return self._send(self._soon(), effect, (*args, fault))
            case Fault.LATE:
                self._kernel.after(self._random.uniform(0.0, LATEST), _ignore, effect, args)
        failure = error(fault, kind, call)
        if fault in DONE_ALL_THE_SAME:
            effect, args = _lose, (effect, args, failure)
        else:
            effect, args = _fail, (failure,)
        after = TIMEOUT_SECONDS if fault in SILENT else self._soon()
        return self._send(self._soon(), effect, args, after=after)

    def _send(self, before, effect, args, *, after=None):
        task = self._process.task
        self._kernel.after(before, self._land, task, task.turn, effect, args, after)
        return self._process.wait()

    def _land(self, task, turn, effect, args, after):
        value = failure = None
        try:
            value = effect(*args)
        except (DeployError, _Scripted) as caught:
            failure = caught.error if isinstance(caught, _Scripted) else caught
        self._kernel.after(after or self._soon(), self._process.wake, task, turn, value, failure)

    def _soon(self):
        return 0.02 + 0.2 * self._random.random()


class _Session:
    """One command on a server."""

    def __init__(self):
        self.ended = False
        self.task = None
        self.turn = 0

    def run(self, effect, args):
        return None if self.ended else effect(*args)


class _Scripted(Exception):
    """Carries what a test lets a call raise, whatever it is."""

    def __init__(self, error):
        super().__init__(error)
        self.error = error


def _fail(failure):
    raise _Scripted(failure)


def _lose(effect, args, failure):
    effect(*args)
    raise failure


def _ignore(effect, args):
    try:
        effect(*args)
    except DeployError:
        return


def _nothing():
    return None
