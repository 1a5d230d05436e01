"""The claim: at most one deploy of an app and environment changes who gets traffic.

Nova has no compare-and-set, but every metadata item of every server is a register that one operator writes and all can
read. That is all that Lamport's bakery algorithm needs ("A new solution of Dijkstra's concurrent programming problem",
1974): whoever wants the claim writes that it is choosing, reads all the others, takes the next number, reads again, and
has the claim if nobody with a lower number is there. A claim lives as long as its heartbeat: all times are the cloud's.

Only values and what follows from them; `claiming` reads and writes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

PREFIX = "claim-"

BEAT_SECONDS = 10.0
"""How often the heartbeat is written."""

FENCE_SECONDS = 40.0
"""After so long without a heartbeat that went well its owner holds his claim for lost and changes nothing more."""

EXPIRY_SECONDS = 60.0
"""After so long without a heartbeat others may take it over. Later than the fence, for requests that are under way."""


CHOOSING = 0
WAITING = -1
"""Not in the queue yet: written to the metadata of a server with its creation, to be seen until it is ACTIVE."""

MOST_NUMBER = 10**9
"""No queue is as long; a greater number is not ours, and would not fit a metadata item."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One operator's claim, as it stands in the metadata of a server.

    :param id: tells claims apart.
    :param number: who has the lower one goes first; CHOOSING while it is being chosen, WAITING before that.
    :param verb: what is being done: deploy, rotate, rollback, abort, or undo after a failure.
    :param generation: what it is done for; empty until it is known.
    :param owner: user@host, for people.
    :param process: names one process on one boot of one machine, see `tasks.operator`; empty when it is not known.
    """

    id: str
    number: int
    verb: str
    generation: str
    owner: str
    process: str
    since: datetime
    beat: datetime

    @property
    def item(self) -> str:
        """The name of its metadata item."""
        return PREFIX + self.id

    @property
    def rank(self) -> tuple[int, str]:
        """Its place in the queue."""
        return self.number, self.id

    def to_value(self) -> str:
        """Give the metadata value: JSON in ASCII, shorter than the 255 characters that Nova allows."""
        names = (_plain(self.owner), _plain(self.process))
        values = (self.number, self.verb, self.generation, *names, _written(self.since), _written(self.beat))
        return json.dumps(values, separators=(",", ":"))

    def has_expired(self, now: datetime) -> bool:
        """Say whether its heartbeat has stopped for so long that it may be taken over, or is of no time that can be."""
        return abs(now - self.beat) >= timedelta(seconds=EXPIRY_SECONDS)


_FIELDS = ("number", "verb", "generation", "owner", "process", "since", "beat")


def from_metadata(metadata: Mapping[str, str]) -> tuple[Claim, ...]:
    """Read the claims among a server's metadata; what is none, or not readable, is left out."""
    found = (_read(name, value) for name, value in sorted(metadata.items()) if name.startswith(PREFIX))
    return tuple(claim for claim in found if claim)


def _read(name: str, value: str) -> Claim | None:
    try:
        values = dict(zip(_FIELDS, json.loads(value), strict=True))
        since, beat = (datetime.fromisoformat(values.pop(key)) for key in ("since", "beat"))
        number = values.pop("number")
        if (
            since.tzinfo is None
            or beat.tzinfo is None
            or not isinstance(number, int)
            or not WAITING <= number <= MOST_NUMBER
        ):
            return None
        texts = {key: str(text) for key, text in values.items()}
        return Claim(id=name.removeprefix(PREFIX), number=number, since=since, beat=beat, **texts)
    except (ValueError, TypeError, AttributeError):
        return None


def standing(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Give each claim once, as it was written last, first in the queue first: several servers may carry the same.

    A copy that a server was born with says nothing beside one that was written since.
    """
    latest: dict[str, Claim] = {}
    for claim in claims:
        known = latest.get(claim.id, claim)
        if (known.number == WAITING) != (claim.number == WAITING):
            latest[claim.id] = max(known, claim, key=lambda one: one.number)
        else:
            later = max(known, claim, key=lambda one: (one.beat, one.number))
            latest[claim.id] = replace(later, number=max(known.number, claim.number))
    return tuple(sorted(latest.values(), key=lambda claim: claim.rank))


def _plain(text: str) -> str:
    """Give what of a name fits: Nova counts characters, and JSON would make six of one that is not ASCII."""
    return re.sub(r"[^A-Za-z0-9@._:-]", "?", text)[:64]


def _written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
