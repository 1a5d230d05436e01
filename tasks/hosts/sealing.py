"""Locking everybody out of a server, ourselves included, and finding out whether it is true.

Refuses to know what a sealed server is for; that its metadata says so is the rollout's affair.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from tasks.errors import HostError, SettingsError, TimedOut
from tasks.hosts.app import Deadlines
from tasks.hosts.route import Route
from tasks.hosts.running import Command
from tasks.hosts.trust import address_of
from tasks.rollout.model import Server
from tasks.waiting import Clock, Patience, until

PROGRAM = "bin/seal"
_PATIENCE = Patience(limit=30.0, longest=1.0)
_KNOCK = 5.0


def require(scripts: Path) -> None:
    """Return when servers that are set up with these scripts can be sealed.

    :raises SettingsError: they would lack the program that does it.
    """
    if not (scripts / PROGRAM).is_file():
        raise SettingsError(
            f"seal: there is no {PROGRAM} in {scripts}",
            advice="It takes the deploy's key away and switches sshd off: copy it from the project's own folder.",
        )


def seal(key: str, deadlines: Deadlines) -> Command:
    """Take a public key (its base64 text) out of every authorized_keys file and switch the SSH server off for good."""
    script = f'"${{SERVER_ROOT:-}}/srv/app"/{PROGRAM} {shlex.quote(key)}'
    return Command(stage="seal", name=PROGRAM, script=script, deadline=deadlines.start)


def is_closed(server: Server, port: int, route: Route) -> bool:
    """Say whether a server's SSH port refuses connections: then it is sealed, whatever its metadata says."""
    return bool(_refuses(server, port, route))


def await_refusal(server: Server, port: int, route: Route, clock: Clock) -> None:
    """Wait until connections to a server's SSH port are refused.

    :raises HostError: they are still taken when the limit passes.
    """
    try:
        what = f"{server.name} to refuse SSH connections"
        until(lambda: _refuses(server, port, route), what=what, patience=_PATIENCE, clock=clock)
    except TimedOut as error:
        raise HostError(
            f"{server.name} was sealed, but {error}",
            server=server.name,
            advice="Is its SSH server started by something else than systemd or an init script? "
            f"{PROGRAM} has to stop and disable that as well.",
        ) from error


def _refuses(server: Server, port: int, route: Route) -> bool | None:
    try:
        route.connect(address_of(server), port, _KNOCK).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return None  # silence is no proof
    return None
