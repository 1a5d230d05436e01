"""What happens during a rollout, as values: the report shows them, the journal writes them down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.rollout.observation import Fact, Observation
from tasks.rollout.steps import Step


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The cloud was looked at as a whole. `at` is in seconds on the rollout's clock, here and below."""

    at: float
    seen: Observation


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


Event = Observed | Started | Finished | Failed | Reverting | Said
Listen = Callable[[Event], None]
