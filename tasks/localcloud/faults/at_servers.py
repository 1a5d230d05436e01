"""What happens to servers on request: which armed fault strikes at which occasion, and the hold points of SSH sessions.

Decides only; that a port really refuses and a connection is really cut is the servers' part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from tasks.localcloud.faults.bad_days import BadDays
from tasks.localcloud.faults.holds import Moment, Released
from tasks.localcloud.faults.holds import Occasion as Held
from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Fault
from tasks.localcloud.machines.mishaps import Kind, Mishap, Occasion, Question

_FAULTS: Mapping[Occasion, Mapping[FaultName, Kind]] = {
    Occasion.SSH_STARTS: {FaultName.SSH_SLOW_START: Kind.LATE},
    Occasion.CONNECTION: {FaultName.SSH_REFUSED: Kind.REFUSED, FaultName.SSH_SILENT: Kind.SILENT},
    Occasion.SESSION_BEGINS: {FaultName.SSH_DROPS: Kind.DROPS},
}
_CUT = Mishap(kind=Kind.CUT)


class ServersFate:
    """Decides by the faults and the hold points that are armed. `name_of` gives the name of a server by its id.

    A fault's `match` is looked for in the server's name; of one that strikes a session, in `NAME: COMMAND`.
    """

    def __init__(self, bad_days: BadDays, name_of: Callable[[str], str]) -> None:
        self._faults = bad_days.faults
        self._holds = bad_days.holds
        self._name_of = name_of
        self._news = asyncio.Event()
        self._faults.tell(self._hear)

    async def decide(self, machine_id: str, question: Question) -> Mishap:
        """Answer a server's question; one that is held when its hold is released, with a cut connection."""
        name = self._name_of(machine_id)
        match question.occasion:
            case Occasion.SESSION_BEGINS:
                return await self._begin(f"{name}: {question.what}")
            case Occasion.SESSION_ENDS:
                return await self._end(f"{name}: {question.what}", question.ticket)
            case Occasion.LIFE:
                return await self._die(name)
            case occasion:
                return self._strike(occasion, name)

    def _strike(self, occasion: Occasion, about: str, ticket: int = 0) -> Mishap:
        for name, kind in _FAULTS[occasion].items():
            if fault := self._faults.take(name, about=about):
                return Mishap(kind=kind, seconds=fault.seconds, ticket=ticket)
        return Mishap(ticket=ticket)

    async def _begin(self, what: str) -> Mishap:
        try:
            passage = await self._holds.reached("ssh", what)
        except Released:
            return _CUT
        return self._strike(Occasion.SESSION_BEGINS, what, ticket=passage.occasion.number)

    async def _end(self, what: str, ticket: int) -> Mishap:
        try:
            await self._holds.stand(Held(number=ticket, kind="ssh", what=what), Moment.AFTER)
        except Released:
            return _CUT
        return Mishap()

    async def _die(self, name: str) -> Mishap:
        """Return when the server is to die: nothing has to happen to it for that."""
        while (fault := self._faults.take(FaultName.SERVER_DIES, about=name)) is None:
            await self._news.wait()
        await asyncio.sleep(fault.seconds)
        return Mishap(kind=Kind.DIES)

    def _hear(self, fault: Fault) -> None:
        if fault.name is FaultName.SERVER_DIES:
            self._news.set()
            self._news = asyncio.Event()
