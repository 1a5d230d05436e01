"""The faults that can be asked for, each by its name, and what each does in one sentence. Does nothing itself."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from enum import StrEnum


class FaultName(StrEnum):
    """What people type to ask for a fault."""

    BUILD_DIES = "build-dies"
    BUILD_HANGS = "build-hangs"
    BUILD_SLOW = "build-slow"
    CREATE_500 = "create-500"
    CREATE_500_BUT_CREATED = "create-500-but-created"
    CREATE_LATE = "create-late"
    API_500 = "api-500"
    API_503 = "api-503"
    API_500_BUT_DONE = "api-500-but-done"
    API_TIMEOUT = "api-timeout"
    API_TIMEOUT_BUT_DONE = "api-timeout-but-done"
    OVER_LIMIT = "over-limit"
    BALANCER_BUSY = "balancer-busy"
    BALANCER_ERROR = "balancer-error"
    NODE_FLAPS = "node-flaps"
    DELETE_HANGS = "delete-hangs"
    DELETE_500 = "delete-500"
    CONSOLE_LATE = "console-late"
    STALE_LISTS = "stale-lists"
    METADATA_LOST = "metadata-lost"
    SSH_REFUSED = "ssh-refused"
    SSH_SILENT = "ssh-silent"
    SSH_DROPS = "ssh-drops"
    SSH_SLOW_START = "ssh-slow-start"
    SERVER_DIES = "server-dies"


_SENTENCES: Mapping[FaultName, str] = {
    FaultName.BUILD_DIES: "A server that is built ends in ERROR.",
    FaultName.BUILD_HANGS: "A server that is built stays in BUILD until it is deleted.",
    FaultName.BUILD_SLOW: "A server takes `seconds` longer to build.",
    FaultName.CREATE_500: "POST /servers is answered with 500, and no server is made.",
    FaultName.CREATE_500_BUT_CREATED: "POST /servers is answered with 500, and the server is made all the same.",
    FaultName.CREATE_LATE: "POST /servers is answered with 500, and the server turns up after `seconds`.",
    FaultName.API_500: "A request is answered with 500 and has no effect.",
    FaultName.API_503: "A request is answered with 503 and has no effect.",
    FaultName.API_500_BUT_DONE: "A request that changes something is answered with 500 and has its effect.",
    FaultName.API_TIMEOUT: "A request has no effect and no answer: after `seconds` its connection is closed.",
    FaultName.API_TIMEOUT_BUT_DONE: (
        "A request that changes something has its effect and no answer: after `seconds` its connection is closed."
    ),
    FaultName.OVER_LIMIT: "A request is refused by the rate limit, with `seconds` as its Retry-After.",
    FaultName.BALANCER_BUSY: (
        "A load balancer that is to be changed is in PENDING_UPDATE for `seconds`: somebody else's change came first."
    ),
    FaultName.BALANCER_ERROR: "A change of a load balancer is accepted, cannot be made, and leaves it in ERROR.",
    FaultName.NODE_FLAPS: "A node that is ONLINE is OFFLINE for `seconds`, although it answers.",
    FaultName.DELETE_HANGS: "A server that is deleted goes on running for `seconds`.",
    FaultName.DELETE_500: "DELETE of a server is answered with 500, and the server stays.",
    FaultName.CONSOLE_LATE: "A server's console output is empty for the first `seconds` of its life.",
    FaultName.STALE_LISTS: "A list of servers, or of a load balancer's nodes, is what it was `seconds` ago.",
    FaultName.METADATA_LOST: "Metadata that is written to a server is answered with 200 and not kept.",
    FaultName.SSH_REFUSED: "An SSH connection is reset, and the server refuses others for `seconds`.",
    FaultName.SSH_SILENT: "A server takes an SSH connection and says nothing for `seconds`, then closes it.",
    FaultName.SSH_DROPS: (
        "An SSH connection is cut `seconds` after a command has begun, or when it has ended and before that is told."
    ),
    FaultName.SSH_SLOW_START: "A server is up, and its SSH server starts `seconds` later.",
    FaultName.SERVER_DIES: "A server that runs, or comes up, ends after `seconds` as if by its plug: SHUTOFF.",
}


class UnknownFault(Exception):
    """There is no fault of this name; the text lists those there are."""

    def __init__(self, name: str) -> None:
        close = difflib.get_close_matches(name, list(FaultName), n=1, cutoff=0.5)
        guess = f" Did you mean {close[0]}?" if close else ""
        super().__init__(f"there is no fault {name!r}.{guess} Known: {', '.join(FaultName)}")


def fault_name(text: str) -> FaultName:
    """Read a fault's name.

    :raises UnknownFault: it is none; the text has the nearest one.
    """
    try:
        return FaultName(text)
    except ValueError:
        raise UnknownFault(text) from None


def describe() -> Mapping[FaultName, str]:
    """Give every fault's sentence; `seconds` in it is what can be chosen."""
    return _SENTENCES
