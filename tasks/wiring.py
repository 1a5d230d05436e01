"""The composition root: settings become a site, opened once. The only module that knows all the parts.

Whatever is slow to import is imported here, inside functions: `fab --list` needs none of it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tasks import local_cloud
from tasks.settings import Settings
from tasks.wiring_goals import any_goal, listeners

if TYPE_CHECKING:
    from rich.console import Console

    from tasks.cloud.asked import Asked
    from tasks.cloud.identity import Access
    from tasks.hosts.access import SshAccess
    from tasks.hosts.fabric_hosts import FabricHosts
    from tasks.hosts.trust import Introduction, Trust
    from tasks.report.progress import Progress
    from tasks.report.reaped import Reaped
    from tasks.report.status import State
    from tasks.report.summary import Records
    from tasks.rollout.contenders import Operator
    from tasks.rollout.events import Event, Listen
    from tasks.rollout.foreseeing import Foreseen
    from tasks.rollout.goal import Goal
    from tasks.rollout.observation import Observation
    from tasks.rollout.outlook import Outlook
    from tasks.rollout.site import Site
    from tasks.waiting import Clock

KNOWN_HOSTS = "known_hosts"
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An opened site, and who reports on it."""

    settings: Settings
    site: Site
    console: Console
    progress: Progress
    records: Records


@dataclass(frozen=True, kw_only=True)
class Ears:
    """Who hears of what happens, and by which clock.

    :param on_output: gets every line that a command on a server prints: the server's name, the stage, the line.
    """

    clock: Clock
    listen: Listen
    on_output: Callable[[str, str, str], None]


def state_folder() -> Path:
    """Give `$XDG_STATE_HOME/disposable-servers`, or the same under `~/.local/state`."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "disposable-servers"


@contextmanager
def open_site(  # noqa: PLR0913  each is a flag of a command line
    settings: Settings,
    *,
    wait: bool = False,
    adopt: bool = False,
    console: Console | None = None,
    events: str | None = None,
    verbose: bool = False,
) -> Iterator[Opened]:
    """Open the cloud, starting the local one if it is meant, and give everything a rollout works with.

    :param wait: another operator at work is waited for, as long as the settings say.
    :param adopt: load balancers that somebody has made by hand are taken over.
    :param console: where progress is shown; standard output without one, unless that is for events.
    :param events: where the journal's lines go as well: a file, or "-" for standard output.
    :param verbose: every line that a command on a server prints is shown.
    :raises DeployError: the cloud can not be opened.
    """
    from tasks.errors import HostError
    from tasks.report.consoles import aside, terminal
    from tasks.report.live import expected
    from tasks.report.output import OutputLog, told_to
    from tasks.report.progress import Progress
    from tasks.report.stream import STANDARD_OUTPUT, stream
    from tasks.report.wording import watched
    from tasks.rollout.events import Requested
    from tasks.rollout.journal import Journal
    from tasks.waiting import WallClock

    console = console or (aside() if events == STANDARD_OUTPUT else terminal())
    also, clock = stream(events), WallClock()
    watch = watched(settings.watch, settings.commands.watch)
    name = f"{settings.app}-{settings.environment}"
    usual = expected(state_folder() / "deploys", of=name)
    progress = Progress(console, clock, prefix=f"{name}-", watch=watch, expected=usual)
    access = _open_cloud(settings, console)
    journal = Journal(_folder(settings) / "journal.jsonl", also)

    def listen(event: Event) -> None:
        journal(event)
        if isinstance(event, Requested):
            return  # of interest afterwards; the threads that ask tell of it
        with suppress(OSError):  # whoever read our output may have gone, as `head` does; that is no failure of a deploy
            progress(event)

    shown = (progress.output, progress.echo) if verbose else (progress.output,)
    ears = Ears(clock=clock, listen=listen, on_output=told_to(OutputLog(journal.path.parent), *shown))
    site = _site(settings, access, ears, journal.path.parent)
    site = replace(site, wait=settings.limits.wait if wait else 0.0, adopt=adopt)
    try:
        records = _records(settings, journal.path)
        yield Opened(settings=settings, site=site, console=console, progress=progress, records=records)
    except HostError:
        progress.close()
        console.print(f"All that the commands printed is in {journal.path.parent}", highlight=False, soft_wrap=True)
        raise
    finally:
        progress.close()
        site.hosts.close()


def _folder(settings: Settings) -> Path:
    """Give the folder of what this run writes down."""
    now = datetime.now(tz=UTC)
    name = f"{settings.app}-{settings.environment}"
    return state_folder() / "deploys" / name / f"{now:%Y%m%d-%H%M%S}-{os.getpid()}"


def _records(settings: Settings, journal: Path) -> Records:
    from tasks.hosts.plain_ssh import ssh_line
    from tasks.report.summary import Records
    from tasks.wiring_profiles import ssh_access

    known_hosts = journal.with_name(KNOWN_HOSTS)
    access = ssh_access(settings, state_folder())
    return Records(journal=journal, known_hosts=known_hosts, ssh=lambda address: ssh_line(access, known_hosts, address))


def state(settings: Settings, seen: Observation, outlook: Outlook | None = None) -> State:
    """Give what the report speaks of."""
    from tasks.report.status import State

    return State(app=settings.app, environment=settings.environment, cloud=settings.cloud, seen=seen, outlook=outlook)


def ask(settings: Settings, question: Callable[[Site], Answer], otherwise: Answer) -> Answer:
    """Put a question to the cloud. A local cloud that does not run is not started: the answer is `otherwise` then.

    What has to be said meanwhile goes to standard error: the answer may be for a program.
    """
    from tasks.report.consoles import aside

    if settings.is_local and local_cloud.running_at() is None:
        return otherwise
    with open_site(settings, console=aside()) as opened:
        return question(opened.site)


def look(settings: Settings) -> Observation:
    """Look at the cloud and change nothing."""
    from tasks.rollout.observation import Observation
    from tasks.rollout.site import Site

    return ask(settings, Site.observe, Observation())


def overview(settings: Settings) -> State:
    """Look at the cloud, and at what is going on there, and change nothing."""
    from tasks.rollout.observation import Observation
    from tasks.rollout.outlook import outlook

    def look_around(site: Site) -> State:
        seen = site.observe()
        return state(settings, seen, outlook(any_goal(settings), seen, site))

    return ask(settings, look_around, state(settings, Observation()))


def foresee(settings: Settings, goal: Goal) -> Foreseen:
    """Say what a deploy would do, and change nothing."""
    from tasks.rollout.foreseeing import foresee, foresee_first

    return ask(settings, lambda site: foresee(goal, site), foresee_first(goal))


def left_overs(settings: Settings, *, delete: bool) -> Reaped:
    """List left-overs, or delete them as well."""
    from tasks.report.reaped import Reaped
    from tasks.rollout import reaping

    verb = reaping.reap if delete else reaping.look

    def answer(site: Site) -> Reaped:
        found = verb(any_goal(settings), site)
        return Reaped(now=site.compute.now(), found=found, is_deleted=delete)

    return ask(settings, answer, Reaped(now=datetime.now(tz=UTC)))


def _open_cloud(settings: Settings, console: Console) -> Access:
    from tasks.cloud.identity import open_cloud

    if not settings.is_local:
        return open_cloud(None if settings.cloud == "env" else settings.cloud)
    local = local_cloud.ensure(ssh_port=settings.server.ssh_port)
    if local.started_now:
        console.print("No cloud is configured: the local cloud was started for you; `fab local.down` ends it.")
    return open_cloud("local", clouds_yaml=local.clouds_yaml)


def _site(settings: Settings, access: Access, ears: Ears, folder: Path) -> Site:
    from tasks.cloud.balancers import balancers_for
    from tasks.cloud.compute import NovaCompute
    from tasks.cloud.patient import Pace
    from tasks.rollout.events import Requested, Said
    from tasks.rollout.on_servers import Limits
    from tasks.rollout.site import Site
    from tasks.wiring_profiles import balancer_profile, hooks, introduction, server_profile, ssh_access, watcher

    clock, listen = ears.clock, ears.listen

    def say(text: str) -> None:
        listen(Said(at=clock.now(), text=text))

    def heard(asked: Asked) -> None:
        listen(Requested(at=clock.now(), **vars(asked)))

    pace = Pace(clock=clock, on_wait=say, on_request=heard)
    ssh = ssh_access(settings, state_folder())
    compute = NovaCompute(access, server_profile(settings, ssh), pace)
    trust = _trust(settings, introduction(settings, compute, clock, say), folder)
    limits = settings.limits
    return Site(
        app=settings.app,
        environment=settings.environment,
        listeners=listeners(settings),
        compute=compute,
        balancers=balancers_for(access, balancer_profile(settings), pace),
        hosts=_hosts(settings, ssh, trust, ears),
        watcher=watcher(settings),
        hooks=hooks(settings),
        operator=_operator(),
        clock=clock,
        limits=Limits(build=limits.build, balancer=limits.balancer, drain=limits.drain, delete=limits.delete),
        listen=listen,
    )


def _operator() -> Operator:
    from tasks import operators
    from tasks.rollout.contenders import Operator

    return Operator(
        owner=operators.owner(),
        process=operators.process(),
        new_id=lambda: secrets.token_hex(4),
        has_ended=operators.has_ended,
    )


def _trust(settings: Settings, way: Introduction, folder: Path) -> Trust:
    from tasks.hosts.known_hosts import KnownHosts
    from tasks.hosts.trust import Trust

    lasting = state_folder() / "known_hosts" / f"{settings.app}-{settings.environment}"
    files = [KnownHosts(folder / KNOWN_HOSTS), KnownHosts(lasting)]
    return Trust(way, files)


def _hosts(settings: Settings, ssh: SshAccess, trust: Trust, ears: Ears) -> FabricHosts:
    from tasks.hosts.fabric_hosts import FabricHosts, Sources
    from tasks.hosts.injected import Bootstrap
    from tasks.release.build import built
    from tasks.release.cache import default_cache
    from tasks.wiring_profiles import app_commands

    sources = Sources(
        scripts=settings.bootstrap_scripts,
        artifact=lambda release: built(release, default_cache()),
        trust=trust,
        bootstrap=Bootstrap(settings.bootstrap),
    )
    return FabricHosts(
        access=ssh, app=app_commands(settings), sources=sources, clock=ears.clock, on_output=ears.on_output
    )
