"""The values that a timeline is made of. All times are in seconds since the verb began."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a bar ended: well, badly, because it was told to stop, or with the process that did it."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    CUT_OFF = "cut off"


class LaneKind(StrEnum):
    """What a lane is about, in the order in which lanes are shown."""

    DEPLOY = "deploy"
    SERVER = "server"
    BALANCER = "load balancer"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Something that was done on a server, a load balancer or for the deploy as a whole.

    :param where: on what kind of thing, and its name, without what all names of the app and environment begin with.
    :param stage: which kind of thing it is, for its colour and for the durations.
    :param what: the same in more words.
    :param note: what went wrong, or is worth saying.
    """

    where: tuple[LaneKind, str]
    stage: str
    what: str
    began: float
    ended: float
    state: State = State.DONE
    note: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


@dataclass(frozen=True, kw_only=True)
class Lane:
    """What was done in one place, in its order: two things there never overlap."""

    kind: LaneKind
    name: str
    bars: tuple[Bar, ...]
    is_new: bool = False


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A moment that divides the run."""

    at: float
    what: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to an API of the cloud, which was over at this time."""

    at: float
    seconds: float
    api: str
    text: str
    status: int

    @property
    def is_well(self) -> bool:
        """Say whether it was answered as asked."""
        return 0 < self.status < 400


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A run: everything that was done, and the chain of things that it had to wait for.

    :param critical: in their order.
    :param length: of the whole run.
    """

    lanes: tuple[Lane, ...]
    critical: tuple[Bar, ...]
    moments: tuple[Moment, ...]
    requests: tuple[Request, ...]
    length: float

    @property
    def bars(self) -> tuple[Bar, ...]:
        """All bars, in the order in which they began."""
        found = (bar for lane in self.lanes for bar in lane.bars)
        return tuple(sorted(found, key=lambda bar: (bar.began, bar.ended)))
