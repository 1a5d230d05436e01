"""What can go wrong with a call, and how often."""

from enum import StrEnum

from tasks.errors import (
    CloudError,
    CloudUnreachable,
    CommandFailed,
    ConnectionLost,
    HostUnreachable,
    OverLimit,
    Uncertain,
    WrongHostKey,
)

TIMEOUT_SECONDS = 60.0


class Kind(StrEnum):
    """What is asked, as far as it matters for what can go wrong."""

    READ = "read"
    LIST = "list"
    CREATE = "create"
    METADATA = "metadata"
    CHANGE = "change"
    NODES = "nodes"
    STAGE = "stage"
    PROBE = "probe"


class Fault(StrEnum):
    """What can go wrong with a call, in words for the trace."""

    REFUSED = "500, and nothing was done"
    LOST = "500, but it was done"
    LATE = "500, but it is done later"
    SILENT = "no answer for a minute, and nothing was done"
    SILENT_DONE = "no answer for a minute, but it was done"
    UNREACHABLE = "no connection"
    RATE_LIMITED = "asked to come back later, which is done"
    OVER_LIMIT = "asked to come back much too late"
    BUSY = "busy with something else for a while"
    FORGOTTEN = "acknowledged, but not kept"
    STALE = "the list is not up to date"
    BUILD_DIES = "the build will die"
    BUILD_HANGS = "the build will hang"
    SSH_REFUSED = "SSH is refused"
    SSH_CUT = "SSH is cut; the command runs on to its end"
    STAGE_FAILS = "the command fails"
    WRONG_KEY = "something else answers there, by its host key"


CHANGES = (
    Fault.REFUSED,
    Fault.LOST,
    Fault.SILENT,
    Fault.SILENT_DONE,
    Fault.UNREACHABLE,
    Fault.RATE_LIMITED,
    Fault.OVER_LIMIT,
)
READS = (Fault.REFUSED, Fault.SILENT, Fault.RATE_LIMITED)
POSSIBLE = {
    Kind.READ: READS,
    Kind.LIST: (*READS, Fault.STALE),
    Kind.CREATE: (*CHANGES, Fault.LATE, Fault.BUILD_DIES, Fault.BUILD_HANGS),
    Kind.METADATA: (*CHANGES, Fault.FORGOTTEN),
    Kind.CHANGE: CHANGES,
    Kind.NODES: (*CHANGES, Fault.BUSY),
    Kind.STAGE: (Fault.SSH_REFUSED, Fault.SSH_CUT, Fault.STAGE_FAILS, Fault.WRONG_KEY),
    Kind.PROBE: (Fault.SSH_REFUSED,),
}


class Chances:
    """Decides which call goes wrong, and how. `rates` says how often each fault strikes where it can."""

    def __init__(self, random, rates):
        self._random = random
        self._ladders = {kind: _ladder(faults, rates) for kind, faults in POSSIBLE.items()}

    def strike(self, kind):
        """Give the fault of a call, mostly None."""
        ladder = self._ladders[kind]
        if not ladder:
            return None
        drawn = self._random.random()
        if drawn >= ladder[-1][0]:
            return None
        return next(fault for top, fault in ladder if drawn < top)


def _ladder(faults, rates):
    ladder, top = [], 0.0
    for fault in faults:
        if rates.get(fault):
            top += rates[fault]
            ladder.append((top, fault))
    return ladder


def error(fault, kind, call):
    """Give what an adapter raises when this fault has struck a call (tasks/cloud/faults.py, tasks/hosts)."""
    reads = kind in {Kind.READ, Kind.LIST}
    if fault in {Fault.SILENT, Fault.SILENT_DONE} and reads:
        return CloudUnreachable(f"{call}: it took too long")
    return (CloudError if reads and fault is Fault.REFUSED else ERRORS[fault])(
        f"{call}: {fault}", **_details(fault, call)
    )


def _details(fault, call):
    """Give what an error carries beside its sentence."""
    if fault is Fault.OVER_LIMIT:
        return {"retry_after": 600.0}
    return {"server": call} if fault in SSH else {}


class _Failed(CommandFailed):
    """A command that exited 1."""

    def __init__(self, said, *, server):
        super().__init__(server=server, stage=server, command="run", exit_code=1, tail=said)


ERRORS = {
    Fault.REFUSED: Uncertain,
    Fault.LOST: Uncertain,
    Fault.LATE: Uncertain,
    Fault.SILENT: Uncertain,
    Fault.SILENT_DONE: Uncertain,
    Fault.UNREACHABLE: CloudUnreachable,
    Fault.OVER_LIMIT: OverLimit,
    Fault.SSH_REFUSED: HostUnreachable,
    Fault.SSH_CUT: ConnectionLost,
    Fault.STAGE_FAILS: _Failed,
    Fault.WRONG_KEY: WrongHostKey,
}
SSH = {Fault.SSH_REFUSED, Fault.SSH_CUT, Fault.STAGE_FAILS, Fault.WRONG_KEY}
