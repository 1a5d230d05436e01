"""What happens during a rollout, as values: the report shows them, the journal writes them down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.outcomes import Outcome
from tasks.rollout.goal import Goal
from tasks.rollout.observation import Fact, Observation
from tasks.rollout.steps import Step


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A verb has begun. `at` is in seconds on the rollout's clock, here and below.

    :param about: who does it and how: JSON values that the journal writes down as they are. Secrets are masked.
    """

    at: float
    verb: str
    goal: Goal
    about: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The cloud was looked at as a whole."""

    at: float
    seen: Observation


@dataclass(frozen=True, kw_only=True)
class Planned:
    """It is known what is to be done. `rounds` foretells it: the steps of one round could run side by side."""

    at: float
    rounds: Callable[[], tuple[frozenset[Step], ...]]


@dataclass(frozen=True, kw_only=True)
class Started:
    """A step has begun."""

    at: float
    step: Step


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A step has ended well; `facts` is what was seen."""

    at: float
    step: Step
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A step has failed."""

    at: float
    step: Step
    error: Exception


@dataclass(frozen=True, kw_only=True)
class Reverting:
    """A failure has happened and is being undone."""

    at: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """Something an operator should know that is no step: a wait for a rate limit, a note on the release."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Requested:
    """A cloud's API was asked and has answered, or has not: `status` is 0 then.

    :param path: of the URL, without host and query.
    :param seconds: from sending to the answer.
    """

    at: float
    api: str
    method: str
    path: str
    status: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The verb has ended, and this is how."""

    at: float
    outcome: Outcome
    error: BaseException | None = None


Event = Begun | Observed | Planned | Started | Finished | Failed | Reverting | Said | Requested | Ended
Listen = Callable[[Event], None]
