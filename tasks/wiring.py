"""The composition root: settings become a site, opened once. The only module that knows all the parts.

Whatever is slow to import is imported here, inside functions: `fab --list` needs none of it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tasks import local_cloud
from tasks.rollout.goal import Goal, Pace
from tasks.rollout.model import NEXT_DEPLOY, Listener, Server
from tasks.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from tasks.cloud.identity import Access
    from tasks.hosts.access import SshAccess
    from tasks.hosts.fabric_hosts import FabricHosts
    from tasks.hosts.trust import Introduction, Trust
    from tasks.release.model import Release
    from tasks.report.progress import Progress
    from tasks.report.status import State
    from tasks.report.summary import Records
    from tasks.rollout.claiming import Operator
    from tasks.rollout.events import Event, Listen
    from tasks.rollout.observation import Observation
    from tasks.rollout.site import Site
    from tasks.waiting import Clock

KNOWN_HOSTS = "known_hosts"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An opened site, and who reports on it."""

    settings: Settings
    site: Site
    console: Console
    progress: Progress
    records: Records


def state_folder() -> Path:
    """Give `$XDG_STATE_HOME/disposable-servers`, or the same under `~/.local/state`."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "disposable-servers"


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


def new_goal(settings: Settings, release: str) -> Goal:
    """Give the goal of a deploy: a generation of its own, named after the time so that generations sort by age."""
    now = datetime.now(tz=UTC)
    generation = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(1)}"
    return _goal(settings, generation, release, settings.count)


def goal_of(settings: Settings, servers: tuple[Server, ...]) -> Goal:
    """Give the goal that a generation which exists was made for."""
    labels = servers[0].labels
    return _goal(settings, labels.generation, labels.release, len(servers))


def pace(settings: Settings, count: int) -> Pace:
    """Give how a rotation of that many servers proceeds: shares of them, rounded up, become numbers."""
    sizes = (batch if isinstance(batch, int) else -(-count * int(batch[:-1]) // 100) for batch in settings.batches)
    batches = sorted({min(size, count) for size in sizes} | {count})
    return Pace(batches=tuple(batches), watch=settings.watch, standby=_seconds(settings.standby))


def _seconds(standby: str) -> float | str:
    if standby == "until next deploy":
        return NEXT_DEPLOY
    return float(standby[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[standby[-1]] if standby != "0" else 0.0


def _goal(settings: Settings, generation: str, release: str, count: int) -> Goal:
    if settings.seal:
        from tasks.hosts.sealing import require

        require(settings.bootstrap_scripts)
    return Goal(
        app=settings.app,
        environment=settings.environment,
        generation=generation,
        release=release,
        count=count,
        listeners=listeners(settings),
        build_attempts=settings.build_attempts,
        seal=settings.seal,
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


@contextmanager
def open_site(settings: Settings) -> Iterator[Opened]:
    """Open the cloud, starting the local one if it is meant, and give everything a rollout works with.

    :raises DeployError: the cloud can not be opened.
    """
    from tasks.errors import HostError
    from tasks.report.consoles import terminal
    from tasks.report.progress import Progress
    from tasks.rollout.journal import Journal
    from tasks.waiting import WallClock

    console, clock = terminal(), WallClock()
    progress = Progress(console, clock, prefix=f"{settings.app}-{settings.environment}-")
    access = _open_cloud(settings, console)
    now = datetime.now(tz=UTC)
    folder = (
        state_folder() / "deploys" / f"{settings.app}-{settings.environment}" / f"{now:%Y%m%d-%H%M%S}-{os.getpid()}"
    )
    journal = Journal(folder / "journal.jsonl")

    def listen(event: Event) -> None:
        journal(event)
        progress(event)

    site = _site(settings, access, clock, listen, folder)
    try:
        records = _records(settings, journal.path)
        yield Opened(settings=settings, site=site, console=console, progress=progress, records=records)
    except HostError:
        progress.close()
        console.print(f"All that the commands printed is in {folder}", highlight=False, soft_wrap=True)
        raise
    finally:
        progress.close()
        site.hosts.close()


def _records(settings: Settings, journal: Path) -> Records:
    from tasks.hosts.plain_ssh import ssh_line
    from tasks.report.summary import Records
    from tasks.wiring_profiles import ssh_access

    known_hosts = journal.with_name(KNOWN_HOSTS)
    access = ssh_access(settings, state_folder())
    return Records(journal=journal, known_hosts=known_hosts, ssh=lambda address: ssh_line(access, known_hosts, address))


def state(settings: Settings, seen: Observation) -> State:
    """Give what the report speaks of."""
    from tasks.report.status import State

    return State(app=settings.app, environment=settings.environment, cloud=settings.cloud, seen=seen)


def look(settings: Settings) -> Observation:
    """Look at the cloud and change nothing. A local cloud that does not run has nothing in it, and is not started."""
    from tasks.rollout.observation import Observation

    if settings.is_local and local_cloud.running_at() is None:
        return Observation()
    with open_site(settings) as opened:
        return opened.site.observe()


def _open_cloud(settings: Settings, console: Console) -> Access:
    from tasks.cloud.identity import open_cloud

    if not settings.is_local:
        return open_cloud(None if settings.cloud == "env" else settings.cloud)
    local = local_cloud.ensure(ssh_port=settings.server.ssh_port)
    if local.started_now:
        console.print("No cloud is configured: the local cloud was started for you; `fab local.down` ends it.")
    return open_cloud("local", clouds_yaml=local.clouds_yaml)


def _site(settings: Settings, access: Access, clock: Clock, listen: Listen, folder: Path) -> Site:
    from tasks.cloud.balancers import balancers_for
    from tasks.cloud.compute import NovaCompute
    from tasks.cloud.patient import Pace
    from tasks.rollout.events import Said
    from tasks.rollout.on_servers import Limits
    from tasks.rollout.site import Site
    from tasks.wiring_profiles import balancer_profile, introduction, server_profile, ssh_access, watcher

    def say(text: str) -> None:
        listen(Said(at=clock.now(), text=text))

    pace = Pace(clock=clock, on_wait=say)
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
        hosts=_hosts(settings, ssh, trust, clock, folder),
        watcher=watcher(settings),
        operator=_operator(),
        clock=clock,
        limits=Limits(build=limits.build, balancer=limits.balancer, drain=limits.drain, delete=limits.delete),
        listen=listen,
    )


def _operator() -> Operator:
    from tasks import operators
    from tasks.rollout.claiming import Operator

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


def _hosts(settings: Settings, ssh: SshAccess, trust: Trust, clock: Clock, folder: Path) -> FabricHosts:
    from tasks.hosts.fabric_hosts import FabricHosts, Sources
    from tasks.hosts.injected import Bootstrap
    from tasks.release.build import find
    from tasks.release.cache import default_cache
    from tasks.report.output import OutputLog
    from tasks.wiring_profiles import app_commands

    sources = Sources(
        scripts=settings.bootstrap_scripts,
        artifact=lambda release: find(release, default_cache()),
        trust=trust,
        bootstrap=Bootstrap(settings.bootstrap),
    )
    return FabricHosts(
        access=ssh, app=app_commands(settings), sources=sources, clock=clock, on_output=OutputLog(folder)
    )
