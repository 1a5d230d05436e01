"""Hold points: the k-th occasion from now on stands still, before its effect or after it, until it is let go.

For killing a client at every single request it makes. What an occasion is, is told by whoever serves it; this module
counts them, holds one, and says which. Used from the event loop of the daemon only.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass, replace
from enum import StrEnum

log = logging.getLogger(__name__)


class Moment(StrEnum):
    """Where an occasion is held: before it has any effect, or after it and before its answer."""

    BEFORE = "before"
    AFTER = "after"


class Released(Exception):
    """What was held has been let go: it goes no further, and whoever waits for the answer must get none."""


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """Something that can be held: `number` counts from the start of the cloud, `kind` is `api` or `ssh`."""

    number: int
    kind: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Which occasion is to be held, and where: the `request`-th from the arming on of those that `pattern` is found in.

    `passed` of them have come by already. `number` is the occasion's, once it has come.
    """

    request: int
    moment: Moment
    pattern: str = ""
    passed: int = 0
    number: int | None = None

    def after(self, occasion: Occasion) -> Hold:
        """Give what it is when an occasion has come by."""
        if self.number is not None or not re.search(self.pattern, f"{occasion.kind} {occasion.what}"):
            return self
        number = occasion.number if self.passed + 1 == self.request else None
        return replace(self, passed=self.passed + 1, number=number)


class Holds:
    """The counter of all occasions, and the one hold that can be armed at a time."""

    def __init__(self) -> None:
        self.counted = 0
        self.armed: Hold | None = None
        self.held: Occasion | None = None
        self._holding = asyncio.Event()
        self._let_go = asyncio.Event()

    def arm(self, hold: Hold) -> None:
        """Hold an occasion from now on; what was armed or held before is let go."""
        self.release()
        self.armed = hold

    def release(self) -> None:
        """Let go of what is held, and hold nothing more."""
        self.armed = self.held = None
        self._holding.clear()
        self._let_go.set()
        self._let_go = asyncio.Event()

    async def until_held(self, seconds: float) -> Occasion | None:
        """Wait until something is held; None when that did not happen within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._holding.wait()
        except TimeoutError:
            return None
        return self.held

    async def reached(self, kind: str, what: str) -> Passage:
        """Count an occasion that has had no effect yet; it is held here if it is the one.

        Await `done` of what this gives when the effect is there and the answer is not given yet.

        :raises Released: it was held and let go: leave without an effect or an answer.
        """
        self.counted += 1
        passage = Passage(self, Occasion(number=self.counted, kind=kind, what=what))
        self.armed = self.armed and self.armed.after(passage.occasion)
        await self.stand(passage.occasion, Moment.BEFORE)
        return passage

    async def stand(self, occasion: Occasion, moment: Moment) -> None:
        """Stand still if this is what is armed.

        :raises Released: it was, and has been let go.
        """
        if self.armed is None or (self.armed.number, self.armed.moment) != (occasion.number, moment):
            return
        log.warning("held %s its effect: %s %s", moment, occasion.kind, occasion.what)
        self.held = occasion
        self._holding.set()
        await self._let_go.wait()
        raise Released


class Passage:
    """One occasion on its way."""

    def __init__(self, holds: Holds, occasion: Occasion) -> None:
        self._holds = holds
        self.occasion = occasion

    async def done(self) -> None:
        """Say that the effect is there; held here if that is the moment.

        :raises Released: it was held and let go: leave without an answer.
        """
        await self._holds.stand(self.occasion, Moment.AFTER)
