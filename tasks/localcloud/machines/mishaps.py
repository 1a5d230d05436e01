"""What can happen to a server that nothing in it has brought about, and the port of whoever decides that.

Values only. Refuses to know why something happens, and how it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Occasion(StrEnum):
    """When a server asks what happens to it."""

    SSH_STARTS = "ssh-starts"
    CONNECTION = "connection"
    SESSION_BEGINS = "session-begins"
    SESSION_ENDS = "session-ends"
    LIFE = "life"


class Kind(StrEnum):
    """What happens.

    LATE: the SSH server starts `seconds` later. REFUSED: the connection is reset, and others are refused for `seconds`.
    SILENT: nothing is said on the connection for `seconds`. CUT: the connection is gone, at once. DROPS: it will be,
    `seconds` after the session began, or when its command has ended. DIES: the server ends, as if by its plug.
    """

    NOTHING = "nothing"
    LATE = "late"
    REFUSED = "refused"
    SILENT = "silent"
    CUT = "cut"
    DROPS = "drops"
    DIES = "dies"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A server's question. `what` is a session's command; its `ticket` came with the answer when it began."""

    occasion: Occasion
    what: str = ""
    ticket: int = 0


@dataclass(frozen=True, kw_only=True)
class Mishap:
    """The answer; `ticket` is what a session shows when it ends."""

    kind: Kind = Kind.NOTHING
    seconds: float = 0.0
    ticket: int = 0


class Fate(Protocol):
    """Decides what happens to servers."""

    async def decide(self, machine_id: str, question: Question) -> Mishap:
        """Answer a question. It may take as long as it likes: the server, or whoever logs in to it, waits meanwhile.

        It is cancelled when the answer does not matter any more: the client has left, or the server has ended. LIFE is
        asked once in a server's life, and may be answered at any time in it.
        """


class NoMishaps:
    """Nothing ever happens."""

    async def decide(self, machine_id: str, question: Question) -> Mishap:
        """Say so at once."""
        del machine_id, question
        return Mishap()
