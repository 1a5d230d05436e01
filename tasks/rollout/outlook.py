"""What an operator should know before anything is done: who is at work, what was interrupted, what one can go back to.

Only looks. `resuming` says what a deploy makes of an interruption; this asks it, and decides nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tasks.rollout.claims import Claim
from tasks.rollout.goal import Goal
from tasks.rollout.model import Server
from tasks.rollout.observation import Observation
from tasks.rollout.resuming import Interruption, Way, can_undo, interruption, way
from tasks.rollout.returning import parked_before
from tasks.rollout.reverting import has_begun, is_complete
from tasks.rollout.site import Site


class Rotation(StrEnum):
    """How far a rotation had come when it was interrupted."""

    NOT_BEGUN = "not begun"
    BEGUN = "begun"
    COMPLETE = "complete"


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """An interrupted deploy, how far it had come, and what can be done about it.

    :param same: what a deploy of the same release would do.
    :param other: what a deploy of another release would do.
    :param can_abort: it can be undone.
    """

    found: Interruption
    rotation: Rotation
    same: Way
    other: Way
    can_abort: bool


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What is going on beside what serves.

    :param now: on the cloud's clock.
    :param at_work: the claims of operators that are at work.
    :param parked: the servers that a rollback would put back, if it can.
    :param kept: the servers that failed and were kept for somebody to look at.
    """

    now: datetime
    at_work: tuple[Claim, ...] = ()
    interrupted: Interrupted | None = None
    parked: tuple[Server, ...] = ()
    kept: tuple[Server, ...] = ()


def outlook(template: Goal, seen: Observation, site: Site) -> Outlook:
    """Say what is going on. `template` is any goal of the app and environment, with the count that is set."""
    found = interruption(seen, site.dead(seen))
    return Outlook(
        now=site.compute.now(),
        at_work=site.living(seen),
        interrupted=_interrupted(template, seen, found) if found else None,
        parked=parked_before(seen),
        kept=seen.kept,
    )


def _interrupted(template: Goal, seen: Observation, found: Interruption) -> Interrupted:
    its = found.goal(template)
    return Interrupted(
        found=found,
        rotation=_rotation(its, seen),
        same=way(replace(template, release=its.release), seen, found),
        other=way(replace(template, release=""), seen, found),
        can_abort=can_undo(seen, found),
    )


def _rotation(its: Goal, seen: Observation) -> Rotation:
    if not has_begun(its, seen):
        return Rotation.NOT_BEGUN
    return Rotation.COMPLETE if is_complete(its, seen) else Rotation.BEGUN
