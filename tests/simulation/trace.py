"""What happened, for people who look for the reason of a violation."""

from collections import defaultdict

from tasks.errors import DeployError
from tasks.rollout.events import Failed, Finished, Observed, Reverting, Said, Started

LOOKS = {"servers", "server", "find", "show", "connections", "probe", "knowing"}


class Trace:
    """Everything that was asked, done and said, with the virtual time. Words are made only when somebody reads it."""

    def __init__(self):
        self.entries = []

    def note(self, time, who, what, how=""):
        """Remember one thing."""
        self.entries.append((time, who, what, how))

    def lines(self):
        """Give one line for each."""
        return (_line(*entry) for entry in self.entries)

    def brief(self):
        """Give them without looks that an operator repeats until something has changed, and without mere looking."""
        repeated = defaultdict(set)
        for time, who, what, how in self.entries:
            if not isinstance(what, str) or what not in LOOKS:
                repeated[who].clear()
            elif what in repeated[who] and not how:
                continue
            else:
                repeated[who].add(what)
            if not isinstance(what, Observed | Finished):
                yield _line(time, who, what, how)


def _line(time, who, what, how):
    return f"{time:9.3f}  {who:<5} {what if isinstance(what, str) else _said(what)}{_how(how)}"


def _said(event):
    match event:
        case Started():
            return f"  begins {_step(event.step)}"
        case Failed():
            return f"  FAILED {_step(event.step)}: {_error(event.error)}"
        case Reverting():
            return f"  REVERTING: {event.reason}"
        case Said():
            return f"  says: {event.text}"
    return f"  {type(event).__name__}"


def _step(step):
    words = ", ".join(f"{name}={_plain(value)}" for name, value in vars(step).items())
    return f"{type(step).__name__}({words})"


def _plain(value):
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(str, value))) + "}"
    return getattr(value, "name", None) or str(value)


def _error(error):
    said = error.problem if isinstance(error, DeployError) else repr(error)
    return f"{type(error).__name__}: {said.splitlines()[0] if said else ''}"


def _how(how):
    if not how:
        return ""
    return f"  ->  {_error(how) if isinstance(how, BaseException) else how}"
