"""The site that deploys are killed on: visitors are always on it; it is made anew when it was left in disorder."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.stories.clouds import Cloud
from tests.stories.conftest import an_operator_on
from tests.stories.crashes.endings import COUNT, unfinished
from tests.stories.crashes.holding import HoldPoints, Point
from tests.stories.crashes.machines import another_machine
from tests.stories.operators import Operator, Ran, eventually
from tests.stories.traffic import Request, Traffic, steady

APP = Path(__file__).parent / "app"
RELEASES = ("ada", "bob", "cyd")
SETTINGS = """
count = {count}
source.path = "{app}"
source.requirements = ""
processes.web = "python3 serve.py"
commands.migrate = 'echo ran >> "$SHARED_DIR/migrations"'
commands.test = "python3 -m py_compile serve.py"
"""
ONWARD = re.compile(r"(waiting for|going on with an interrupted|undoing the interrupted|taking over from)")
DEPLOYED = re.compile(r"^ +Release +(\w+)", re.MULTILINE)
PACE = 0.2  # seconds between two requests of a visitor: deploys, not visitors, are to have the machine
WIDEST = 100  # characters of what was held that the table shows
A_FEW = 16  # visits: as many as there are visitors, twice


@dataclass(frozen=True, kw_only=True)
class Crash:
    """A deploy that was killed, and what came of it; `held` is None when it ended before it could be.

    :param ran: the next deploy.
    :param seconds: how long that took.
    """

    point: Point
    held: str | None
    ran: Ran
    seconds: float
    requests: list[Request] = field(default_factory=list)

    @property
    def release(self) -> str:
        """Give the release that the next deploy says it has deployed."""
        return DEPLOYED.findall(self.ran.stdout)[0]

    @property
    def failed(self) -> list[Request]:
        """Give what visitors did not get as they should."""
        return [request for request in self.requests if request.fault]

    @property
    def row(self) -> tuple[str, ...]:
        """Give its row of the table."""
        onward = ", ".join(dict.fromkeys(ONWARD.findall(self.ran.stdout))) or "began anew"
        visits = f"{len(self.failed)} of {len(self.requests)}"
        held = " ".join((self.held or "nothing: it has ended").split())[:WIDEST]
        return str(self.point.k), self.point.moment.value, held, onward, f"{self.seconds:.1f}", visits


class Release(StrEnum):
    """What the next deploy deploys: the release of the one that was killed, or another than that and the old one."""

    SAME = "same"
    ANOTHER = "another"


class Machine(StrEnum):
    """Where the next deploy is made: where the killed one was, or where nobody can tell that it has ended."""

    SAME = "same"
    ANOTHER = "another"


@dataclass(frozen=True, kw_only=True)
class Story:
    """What comes after a deploy that was killed.

    :param settings: of all deploys, beside what every story has.
    :param kills: so many deploys are killed, all at the same point, before one is let be.
    """

    settings: str = ""
    kills: int = 1
    release: Release = Release.SAME
    machine: Machine = Machine.SAME


@dataclass(frozen=True, kw_only=True)
class Site:
    """Whose the site is, and how its cloud is asked and held."""

    operator: Operator
    cloud: Cloud
    holds: HoldPoints

    @property
    def is_at_rest(self) -> bool:
        """Say whether it is as deploys have to leave it, with or without parked servers."""
        return any(not unfinished(self.cloud, parked=parked) for parked in (0, COUNT))


class Stage:
    """A local cloud with a site on it.

    :ivar ends: by the name of a test, at how many requests its deploys were seen to end.
    """

    def __init__(self, face: str, caches: Path) -> None:
        self.ends: dict[str, int] = {}
        self._face = face
        self._caches = caches
        self._open = ExitStack()
        self._site: Site | None = None
        self._deploys = 0

    def close(self) -> None:
        """End the cloud."""
        self._site = None
        self._open.close()

    def crash(self, point: Point, story: Story) -> Crash:
        """Kill a deploy that replaces what serves, and deploy again, while visitors are busy."""
        site = self._ready()
        killed = self._next(site.operator, story)
        after = killed if story.release is Release.SAME else self._next(site.operator, story)
        kills = [killed, *[after] * (story.kills - 1)]
        with steady(site.cloud.addresses(), pace=PACE) as traffic:
            visited(traffic)
            held = [_killed(site, point, each, traffic) for each in kills]
            ran, seconds = deployed(_seated(after, site, story.machine))
            visited(traffic)
        return Crash(point=point, held=held[0], ran=ran, seconds=seconds, requests=traffic.requests)

    def crash_first(self, point: Point) -> Crash:
        """Kill the deploy that brings the first servers of a site, which nobody visits yet, and deploy again."""
        site = self._empty()
        first = self._next(site.operator, Story())
        held = site.holds.kill_at(point, first, "deploy")
        ran, seconds = deployed(first)
        return Crash(point=point, held=held, ran=ran, seconds=seconds)

    def unfinished(self, crash: Crash, *, parked: int = 0) -> list[str]:
        """Say what the next deploy has not left as it should."""
        assert self._site
        return unfinished(self._site.cloud, crash.release, parked=parked)

    def _ready(self) -> Site:
        """Give the site; a new one if there is none yet, or a crash before this one has left it in disorder."""
        if self._site and self._site.is_at_rest:
            return self._site
        site = self._empty()
        self._next(site.operator, Story()).manages("deploy")
        return site

    def _empty(self) -> Site:
        self.close()
        operator = self._open.enter_context(an_operator_on(self._face, self._caches))
        self._site = Site(operator=operator, cloud=operator.cloud(), holds=HoldPoints(operator))
        return self._site

    def _next(self, operator: Operator, story: Story) -> Operator:
        """Give the operator with the settings for a release that does not serve."""
        self._deploys += 1
        name = RELEASES[self._deploys % len(RELEASES)]
        return operator.with_settings(settings(operator, name) + story.settings, name=name)


def settings(operator: Operator, release: str) -> str:
    """Give the settings that deploy a release of this name."""
    app = operator.folder / release
    if not app.exists():
        shutil.copytree(APP, app, ignore=shutil.ignore_patterns("__pycache__"))
        (app / "release.txt").write_text(release)
    return SETTINGS.format(count=COUNT, app=app)


def _killed(site: Site, point: Point, operator: Operator, traffic: Traffic) -> str | None:
    """Kill a deploy, and leave the site alone for some visits."""
    held = site.holds.kill_at(point, operator, "deploy")
    visited(traffic)
    return held


def _seated(operator: Operator, site: Site, machine: Machine) -> Operator:
    """Give the operator at the machine that the next deploy is to be made on."""
    return operator if machine is Machine.SAME else another_machine(operator, site.cloud.clouds_yaml)


def deployed(operator: Operator) -> tuple[Ran, float]:
    """Deploy; give how it ended, and how many seconds it took."""
    began = time.monotonic()
    ran = operator.fab("deploy", "--wait")
    return ran, time.monotonic() - began


def visited(traffic: Traffic) -> None:
    """Return when visitors have been there a few times more."""
    already = len(traffic.requests)
    eventually(lambda: len(traffic.requests) >= already + A_FEW or None, "visitors")
