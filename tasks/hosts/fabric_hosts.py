"""The port `Hosts`, over Fabric: puts trust, connections, commands and checks together. Knows no cloud and no plan."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import CloudError, HostError, TimedOut, UntrustedHost
from tasks.hosts import checking, drain, sealing, stages
from tasks.hosts.access import SshAccess
from tasks.hosts.app import AppCommands
from tasks.hosts.connection import KeyRefused
from tasks.hosts.connections import Connections
from tasks.hosts.environment import env_file, procfile
from tasks.hosts.first_boot import FirstBoot, Progress
from tasks.hosts.injected import Bootstrap
from tasks.hosts.login_key import public_line
from tasks.hosts.output import Beginning, Lines
from tasks.hosts.probing import Asking
from tasks.hosts.push import Parcel, is_machine_script, script_names
from tasks.hosts.running import Command, run
from tasks.hosts.trust import Trust, address_of
from tasks.release.model import Release
from tasks.rollout.model import LoadBalancer, Server
from tasks.waiting import Clock, Patience, until

OnOutput = Callable[[str, str, str], None]
_LOG_LINES = 10


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where hosts get what they need from elsewhere.

    :param scripts: the folder of the bootstrap scripts.
    :param bootstrap: how servers get the machine scripts among them.
    :param artifact: gives the built release with an id; may raise a ReleaseError.
    :param trust: finds out and keeps the servers' host keys.
    """

    scripts: Path
    artifact: Callable[[str], Release]
    trust: Trust
    bootstrap: Bootstrap = Bootstrap.PUSH


class FabricHosts:
    """The servers from inside. A server is used by one thread at a time, several servers side by side.

    :param on_output: gets every line that a command prints: the server's name, the stage, the line.
    """

    def __init__(
        self, *, access: SshAccess, app: AppCommands, sources: Sources, clock: Clock, on_output: OnOutput
    ) -> None:
        self._access = access
        self._app = app
        self._sources = sources
        self._clock = clock
        self._on_output = on_output
        self._closed_to_us: set[str] = set()
        self._counted: dict[str, int] = {}
        self._connections = Connections(access=access, trust=sources.trust, clock=clock)
        self._asking = Asking(app=app, clock=clock, inside=self._connections.route)
        self._first_boot = FirstBoot(
            way=sources.bootstrap, run=self._ask, clock=clock, deadlines=app.deadlines, login=access.patience
        )

    def awaits_reboot(self, server: Server) -> bool:
        """Wait for what a server does by itself at its first boot, and say whether it has to be rebooted then.

        :raises CommandFailed: a machine script failed there.
        :raises HostError: they have not all run before the deadline.
        """
        if self._sources.bootstrap is Bootstrap.PUSH:
            return False
        progress = self._first_boot.await_machine(server)
        return self._sources.bootstrap is Bootstrap.CRON and progress is Progress.DONE

    def set_up(self, server: Server) -> None:
        """Push the release, unless it is there, and the bootstrap scripts; run the scripts in the order of their names.

        The machine scripts are left out where the server has run them by itself.

        :raises CommandFailed: a script exited with another code than 0; those after it were not run.
        """
        names = script_names(self._sources.scripts)
        bootstrap = self._sources.bootstrap
        if bootstrap is Bootstrap.CRON:
            self._first_boot.await_rc_local(server)
        self._push(server)
        for name in names:
            if bootstrap is Bootstrap.PUSH or not is_machine_script(name):
                self._tell(server, stages.script(name, self._app.deadlines))

    def _push(self, server: Server) -> None:
        artifact = self._sources.artifact(server.labels.release).path
        digest = _digest(artifact)
        has_it = digest in self._ask(server, stages.ask_digest(self._app.deadlines))
        self._on_output(server.name, "push", "it has the release" if has_it else "the release is sent")
        parcel = Parcel(
            env=env_file(server, self._app),
            procfile=procfile(self._app),
            scripts=self._sources.scripts,
            artifact=None if has_it else artifact,
            digest=digest,
        )
        self._tell(server, stages.push(parcel, self._app.deadlines))

    def migrate(self, server: Server) -> None:
        """Run the app's migrations, if it has any."""
        if self._app.migrate:
            self._tell(server, stages.migrate(self._app))

    def test(self, server: Server) -> None:
        """Run the app's own unit tests, if it has any."""
        if self._app.test:
            self._tell(server, stages.test(self._app))

    def check(self, server: Server) -> None:
        """Start what does not run yet, and ask the app until it answers as expected.

        :raises CheckFailed: it did not within the deadline; says the last answer and how the app's log ends.
        """
        self._tell(server, stages.start(self._app.deadlines))
        check, page = self._app.check, self._asking.page(server)
        answers: list[checking.Answer] = []

        def look() -> checking.Answer | None:
            answers[:] = [self._asking.get(page, self._connections.route)]
            return answers[0] if answers[0].status == check.status else None

        try:
            until(look, what=str(page), patience=Patience(limit=check.deadline, longest=1.0), clock=self._clock)
        except TimedOut as error:
            raise checking.failed(server, page, check, answers[0], self._log(server)) from error

    def probe(self, server: Server) -> str:
        """Ask the app on a server for its check once, without starting anything; say what is wrong, "" = nothing."""
        return self._asking.on(server)

    def probe_through(self, balancer: LoadBalancer) -> str:
        """Ask the app for its check through a virtual IP, once; say what is wrong, "" = nothing."""
        return self._asking.through(balancer)

    def connections(self, server: Server) -> int | None:
        """Count the established connections to the node port; None when the server cannot be asked.

        A sealed server is not asked. One that refuses our key, or that cannot be trusted, is asked once only: a login
        that fails every second looks like an attack.
        """
        if server.labels.sealed or server.id in self._closed_to_us:
            return None
        command = drain.ask_connections(self._app.node_port, self._app.deadlines.ask)
        try:
            table = self._ask(server, command)
            left = drain.count(table, address_of(server), self._app.node_port)
        except (KeyRefused, UntrustedHost):
            self._closed_to_us.add(server.id)
            return None
        except (HostError, CloudError):
            return None
        if self._counted.get(server.id) != left:
            self._on_output(server.name, "drain", drain.said(left))
        self._counted[server.id] = left
        return left

    def seal(self, server: Server) -> None:
        """Take our key away and switch the SSH server off for good; return when its port refuses connections.

        :raises HostError: it still takes connections after a while.
        """
        if sealing.is_closed(server, self._access.port, self._connections.route):
            return  # done before, and whoever did it could not say so any more
        key = public_line(self._access).rpartition(" ")[2]
        self._tell(server, sealing.seal(key, self._app.deadlines))
        self._connections.drop(server)
        sealing.await_refusal(server, self._access.port, self._connections.route, self._clock)

    def stop(self) -> None:
        """End every command at once, as Interrupted, and run none until `close`."""
        self._connections.stop()

    def close(self) -> None:
        """Close all connections. What is called later opens new ones."""
        self._connections.close()

    def _tell(self, server: Server, command: Command) -> None:
        """Run a command whose output people want to see."""
        self._run(server, command, lambda line: self._on_output(server.name, command.stage, line))

    def _ask(self, server: Server, command: Command) -> str:
        """Run a command whose output only we want; gives the beginning of it."""
        answer = Beginning()
        self._run(server, command, answer)
        return answer.text

    def _run(self, server: Server, command: Command, on_line: Callable[[str], None]) -> None:
        lines = Lines(on_line, hide=self._app.without_secrets)
        run(server, command, user=self._access.user, on=self._connections, lines=lines)

    def _log(self, server: Server) -> str:
        try:
            return self._ask(server, stages.show_log(_LOG_LINES, self._app.deadlines))
        except HostError as error:
            return f"(it could not be read: {error.problem})"


def _digest(artifact: Path) -> str:
    with artifact.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
