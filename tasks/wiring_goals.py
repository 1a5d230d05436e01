"""Settings as goals: what is to be deployed, in which generation, on how many servers, at what pace.

Refuses to know the cloud; of what is there it is told.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.rollout.goal import Goal, Pace
from tasks.rollout.labels import NEXT_DEPLOY
from tasks.rollout.model import Listener, Server
from tasks.rollout.observation import Hook
from tasks.settings import Settings

if TYPE_CHECKING:
    from tasks.release.model import Release
    from tasks.rollout.returning import WayBack


KEPT_SECONDS = 2 * 3600.0


def listeners(settings: Settings) -> tuple[Listener, ...]:
    """Give the listeners; their load balancers are named after the app, the environment and the listener."""
    return tuple(
        Listener(
            name=f"{settings.app}-{settings.environment}-{listener.name}",
            port=listener.port,
            protocol=listener.protocol,
            node_port=listener.node_port or settings.node_port,
        )
        for listener in settings.listeners
    )


def new_goal(settings: Settings, release: str, now: datetime | None = None) -> Goal:
    """Give the goal of a deploy: a generation of its own, named after the time so that generations sort by age.

    :param now: on the cloud's clock, by which all operators' generations are named; without it, this machine's time.
    """
    now = now or datetime.now(tz=UTC)
    generation = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(1)}"
    _require_seal(settings)
    return _goal(settings, generation, release, settings.count)


def keeping_failed(goal: Goal) -> Goal:
    """Give a goal on whose failure one server that failed is kept for two hours, for somebody to look at."""
    return replace(goal, keep_failed=KEPT_SECONDS)


def goal_of(settings: Settings, servers: tuple[Server, ...]) -> Goal:
    """Give the goal that a generation which exists was made for."""
    labels = servers[0].labels
    _require_seal(settings)
    return replace(_goal(settings, labels.generation, labels.release, len(servers)), verb="rotate")


def any_goal(settings: Settings) -> Goal:
    """Give a goal for verbs that need none of their own: what they do is read from the servers that there are."""
    return _goal(settings, generation="", release="", count=settings.count)


def return_goal(settings: Settings, back: WayBack, now: datetime | None = None) -> Goal:
    """Give the goal of a rollback: the parked servers, all at once, or new ones with the previous release.

    :raises ReleaseError: there are no parked servers, and its artifact is not on this machine.
    """
    if back.parked:
        goal = goal_of(settings, back.parked)
        goal = replace(goal, pace=Pace(standby=goal.pace.standby))  # they have proved themselves, and there is no time
    else:
        goal = new_goal(settings, _kept(back.previous.release).id, now)
    return replace(goal, verb="rollback")


def pace(settings: Settings, count: int) -> Pace:
    """Give how a rotation of that many servers proceeds: shares of them, rounded up, become numbers."""
    sizes = (batch if isinstance(batch, int) else -(-count * int(batch[:-1]) // 100) for batch in settings.batches)
    batches = sorted({min(size, count) for size in sizes} | {count})
    return Pace(batches=tuple(batches), watch=settings.watch, standby=_seconds(settings.standby))


def _seconds(standby: str) -> float | str:
    if standby == "until next deploy":
        return NEXT_DEPLOY
    return float(standby[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[standby[-1]] if standby != "0" else 0.0


def _require_seal(settings: Settings) -> None:
    if settings.seal:
        from tasks.hosts.sealing import require

        require(settings.bootstrap_scripts)


def _goal(settings: Settings, generation: str, release: str, count: int) -> Goal:
    return Goal(
        app=settings.app,
        environment=settings.environment,
        generation=generation,
        release=release,
        count=count,
        listeners=listeners(settings),
        build_attempts=settings.build_attempts,
        seal=settings.seal,
        hooks=frozenset(hook for hook in Hook if getattr(settings.hooks, hook)),
        pace=pace(settings, count),
    )


def build_release(settings: Settings, wanted: str | None) -> Release:
    """Build the release: of the work tree, or of what `wanted` names: a built artifact (id or path) or a git revision.

    :raises ReleaseError: it can be neither found nor built.
    """
    from tasks.errors import ReleaseError
    from tasks.release.build import build, find
    from tasks.release.cache import default_cache
    from tasks.release.model import Source, Target

    if wanted:
        try:
            return find(wanted, default_cache())
        except ReleaseError:
            if Path(wanted).exists():
                raise
    source = Source(
        app=settings.app,
        path=settings.source.path,
        requirements=settings.source.requirements or None,
        revision=wanted,
    )
    here = Target.here()
    target = Target(python=settings.source.python or here.python, platforms=settings.source.platforms)
    return build(source, target, default_cache())


def release_id(settings: Settings, wanted: str | None) -> str | None:
    """Give the id of the release that is wanted; None when any will do."""
    return build_release(settings, wanted).id if wanted else None


def _kept(release: str) -> Release:
    from tasks.errors import ReleaseError
    from tasks.release.build import built
    from tasks.release.cache import default_cache

    try:
        return built(release, default_cache())
    except ReleaseError as missing:
        raise ReleaseError(
            f"release {release}, which served before, is not on this machine, and no servers of it are kept",
            advice="`fab deploy --release REVISION` builds it from its git revision, `--release FILE.tar.gz` takes the "
            "artifact from the machine that built it, where `fab rollback` works as well.",
        ) from missing
