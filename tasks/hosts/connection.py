"""One SSH connection to a server, by Fabric: how it is set up, and what a failure to open it means.

Fabric itself accepts any host key; here only the given ones are. Neither `~/.fabric.yaml` nor `~/.ssh/config` is read.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Sequence
from typing import Any, NoReturn

import fabric
import paramiko

from tasks.errors import HostUnreachable
from tasks.hosts.access import SshAccess
from tasks.hosts.console_keys import HostKey, fingerprint
from tasks.hosts.known_hosts import name_of
from tasks.hosts.route import Route
from tasks.hosts.trust import address_of, refused
from tasks.plain import line
from tasks.rollout.model import Server
from tasks.waiting import Clock

# Key injection may come after the SSH server is up; a key that is refused for longer than this is the wrong one.
REFUSAL_GRACE = 20.0
_SESSION_TIMEOUT = 15.0
# Whatever answers at the port may have been quoted in it.
_LONGEST_REASON = 500

# Without a handler, Python prints what paramiko logs, such as the traceback of every attempt at a server that boots.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class KeyRefused(HostUnreachable):
    """A server does not let our key in: it was made with another one, or seals itself off."""


class OnlyThese(paramiko.RejectPolicy):
    """Refuses a key of a type that the server is not known by, and says which keys it is."""

    def __init__(self, server: Server, keys: Sequence[HostKey]) -> None:
        self._server = server
        self._keys = tuple(keys)

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> NoReturn:
        """Refuse.

        :raises UntrustedHost: always.
        """
        del client, hostname
        raise refused(self._server, _shown(key), self._keys)


class Whichever(paramiko.MissingHostKeyPolicy):
    """Accepts the key that is shown. For a first connection whose key is to be believed, and no other."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Accept."""


def prepared(server: Server, access: SshAccess, key: paramiko.PKey | None, trusted: Sequence[HostKey] | None) -> Any:
    """Give a Fabric connection that is not open yet, and that accepts only the trusted host keys.

    :param key: what to log in with; None offers the SSH agent's keys and those in `~/.ssh`.
    :param trusted: None accepts whichever key is shown.
    """
    login: dict[str, Any] = {"pkey": key, "allow_agent": False, "look_for_keys": False} if key else {}
    times = {"banner_timeout": access.connect_timeout, "auth_timeout": access.connect_timeout}
    connection = fabric.Connection(
        address_of(server),
        user=access.user,
        port=access.port,
        config=_no_config(),
        connect_timeout=access.connect_timeout,
        connect_kwargs={**login, **times},
    )
    policy = Whichever() if trusted is None else OnlyThese(server, trusted)
    connection.client.set_missing_host_key_policy(policy)
    known = connection.client.get_host_keys()
    for parsed in filter(None, map(_parsed, trusted or ())):
        known.add(name_of(connection.host, connection.port), parsed.get_name(), parsed)
    return connection


class Opening:
    """Tries to open a connection, again and again, and remembers why it did not work."""

    def __init__(self, server: Server, trusted: Sequence[HostKey] | None, route: Route, clock: Clock) -> None:
        self._server = server
        self._route = route
        self._trusted = tuple(trusted or ())
        self._clock = clock
        self._first_refusal: float | None = None
        self.reason = "it was not tried"
        self._refused = False

    def attempt(self, connection: Any) -> bool:
        """Open a prepared connection; False when the server does not seem to be up yet.

        :raises UntrustedHost: it showed another host key.
        :raises HostUnreachable: it has refused our key for longer than key injection takes.
        :raises HostError: the gateway does not let us through.
        """
        try:
            at, timeout = (connection.host, connection.port), connection.connect_timeout
            connection.connect_kwargs["sock"] = self._route.connect(*at, timeout)
            connection.open()
        except paramiko.BadHostKeyException as error:
            raise refused(self._server, _shown(error.key), self._trusted) from None
        except paramiko.AuthenticationException as error:
            self._refuse(connection.user, error)
            return False
        except (paramiko.SSHException, EOFError, OSError) as error:
            self._refused = False
            self.reason = str(error) or type(error).__name__
            return False
        return True

    def failed(self, so_far: str = "") -> HostUnreachable:
        """Say that it was not opened, and why the last attempt failed; as KeyRefused, if it was our key.

        :param so_far: what to say first.
        """
        kind = KeyRefused if self._refused else HostUnreachable
        return unreachable(self._server, so_far + self.reason, kind)

    def _refuse(self, user: str, error: Exception) -> None:
        now = self._clock.now()
        self._first_refusal = now if self._first_refusal is None else self._first_refusal
        self._refused = True
        self.reason = f"it refuses our key for {user!r} ({error})"
        if now - self._first_refusal > REFUSAL_GRACE:
            raise self.failed() from error


def unreachable(server: Server, reason: str, kind: type[HostUnreachable] = HostUnreachable) -> HostUnreachable:
    """Say that SSH to a server does not work, and why."""
    return kind(
        f"no SSH connection to {server.name} at {server.private_ip}: {line(reason, most=_LONGEST_REASON)}",
        server=server.name,
        advice="Is the private IP reachable from here, and does the server have our key? Its console may say more: "
        f"fab servers.console --server {shlex.quote(server.name)}",
    )


def session(connection: Any) -> paramiko.Channel | None:
    """Begin a session on an open connection; None when the connection was lost meanwhile."""
    try:
        if not connection.is_connected:
            return None
        return connection.transport.open_session(timeout=_SESSION_TIMEOUT)  # type: ignore[no-any-return]
    except (paramiko.SSHException, EOFError, OSError):
        return None


def _no_config() -> Any:
    config = fabric.Config(lazy=True)
    config.load_ssh_configs = False
    config.load_ssh_config()
    return config


def _parsed(key: HostKey) -> paramiko.PKey | None:
    try:
        return paramiko.PKey.from_type_string(key.type, key.blob)
    except (paramiko.SSHException, ValueError):  # a console's noise can leave a key whole and yet make it nonsense
        return None


def _shown(key: paramiko.PKey) -> str:
    return f"{fingerprint(key.asbytes())} ({key.get_name()})"
