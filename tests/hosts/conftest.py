"""A server that can be logged in to, and the hosts that log in to it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.hosts.access import SshAccess
from tasks.hosts.app import AppCommands
from tasks.hosts.console_trust import ConsoleKeys
from tasks.hosts.fabric_hosts import FabricHosts, Sources
from tasks.hosts.injected import Bootstrap
from tasks.hosts.keys import deploy_key
from tasks.hosts.known_hosts import KnownHosts
from tasks.hosts.trust import Introduction, Trust
from tasks.release.build import build
from tasks.release.model import Release, Source, Target
from tasks.rollout.labels import Labels, Phase
from tasks.rollout.model import Server, ServerStatus
from tasks.waiting import Patience
from tests.hosts.sshd import SshServer

GENEROUS = Patience(limit=30.0)


@dataclass
class VirtualClock:
    """Time that passes only in pauses; at the first of them, `then` is done."""

    time: float = 0.0
    then: Callable[[], None] | None = None

    def now(self) -> float:
        """Give the seconds that were paused for."""
        return self.time

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds
        then, self.then = self.then, None
        if then:
            then()


def a_server(address: str | None = "127.77.0.1", *, name: str = "web-1", release: str = "none") -> Server:
    """Build a server."""
    labels = Labels(app="shop", environment="test", generation="g7", slot=1, release=release, phase=Phase.BOOTING)
    return Server(
        id=f"id-of-{name}", name=name, status=ServerStatus.ACTIVE, private_ip=address, labels=labels,
        created=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


@dataclass
class Room:
    """A server that listens, and what hosts are made of."""

    sshd: SshServer
    folder: Path
    clock: VirtualClock = field(default_factory=VirtualClock)
    app: AppCommands = field(default_factory=lambda: AppCommands(node_port=8000))
    bootstrap: Bootstrap = Bootstrap.PUSH
    printed: list[tuple[str, str, str]] = field(default_factory=list)
    opened: list[FabricHosts] = field(default_factory=list)
    on_line: Callable[[str], None] = lambda _: None
    introduction: Introduction | None = None

    def __post_init__(self) -> None:
        key = deploy_key(self.folder / "state")
        self.sshd.authorized.append(key.public_line)
        self.access = SshAccess(key_file=key.path, patience=GENEROUS)
        self.console = self.sshd.console()
        self.scripts = self.folder / "bootstrap_scripts"
        self.scripts.mkdir()

    @property
    def server(self) -> Server:
        """The server as the cloud describes it, with the release that was built last."""
        return replace(a_server(self.sshd.address), labels=replace(a_server().labels, release=self.release().id))

    def login_as(self, user: str) -> None:
        """Let another user than root log in."""
        self.access = replace(self.access, user=user)

    def hosts(self, console: Callable[[str], str] | None = None) -> FabricHosts:
        """Open hosts on what the room holds now."""
        way = self.introduction or ConsoleKeys(console or (lambda _: self.console), self.clock)
        trust = Trust(way, [KnownHosts(self.folder / "state" / "known_hosts")])
        sources = Sources(
            scripts=self.scripts, artifact=lambda _: self.release(), trust=trust, bootstrap=self.bootstrap
        )  # fmt: skip
        hosts = FabricHosts(
            access=replace(self.access, port=self.sshd.port), app=self.app, sources=sources, clock=self.clock,
            on_output=self._print,
        )  # fmt: skip
        self.opened.append(hosts)
        return hosts

    def _print(self, *line: str) -> None:
        self.printed.append(line)
        self.on_line(line[2])

    def release(self) -> Release:
        """Build the app as it is now."""
        source = self.folder / "shop"
        source.mkdir(exist_ok=True)
        (source / "main.py").touch()
        return build(Source(app="shop", path=source, requirements=None), Target.here(), self.folder / "cache")

    def script(self, name: str, text: str) -> None:
        """Write a bootstrap script."""
        (self.scripts / name).write_text("#!/bin/sh\n" + text)

    def on_server(self, path: str) -> Path:
        """Name a file of the server's app folder."""
        return self.sshd.root / "srv" / "app" / path

    def install(self, path: str, text: str) -> None:
        """Put a program on the server, as set-up would leave it."""
        self.on_server(path).parent.mkdir(parents=True, exist_ok=True)
        self.on_server(path).write_text("#!/bin/sh\n" + text)
        self.on_server(path).chmod(0o755)

    def lines(self, stage: str) -> list[str]:
        """Give what a stage printed."""
        return [line for _, its, line in self.printed if its == stage]


def migrating(room: Room, *commands: str) -> FabricHosts:
    """Open hosts, and run migrations that are these commands; each is a line of its own on the server."""
    room.install("bin/run", 'exec "$@"\n')
    room.app = AppCommands(node_port=8000, migrate="\n".join(commands))
    return room.hosts()


@pytest.fixture
def sshd(tmp_path):
    """Give an SSH server that does not listen yet."""
    root = tmp_path / "server"
    root.mkdir()
    server = SshServer(root)
    yield server
    server.close()


@pytest.fixture
def room(sshd, tmp_path):
    """Give a room with a server that listens."""
    sshd.start()
    room = Room(sshd, tmp_path)
    yield room
    for hosts in room.opened:
        hosts.stop()
