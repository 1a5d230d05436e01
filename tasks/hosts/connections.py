"""The SSH connections of a deploy: one for each server, used by all its stages, opened again when it was lost.

Each server is used by one thread at a time; `stop` and `close` may come from any.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import paramiko

from tasks.errors import HostUnreachable, Interrupted, TimedOut
from tasks.hosts.access import SshAccess
from tasks.hosts.connection import Opening, prepared, session, unreachable
from tasks.hosts.console_keys import HostKey
from tasks.hosts.gateway import Gateway
from tasks.hosts.login_key import login_key
from tasks.hosts.route import Direct, Route
from tasks.hosts.trust import Trust
from tasks.rollout.model import Server
from tasks.waiting import Clock, Patience, until


class Connections:
    """Gives sessions on servers. Ends them all on `stop`; `close` makes it usable again."""

    def __init__(self, *, access: SshAccess, trust: Trust, clock: Clock) -> None:
        self._access = access
        self._trust = trust
        self._clock = clock
        self._lock = threading.Lock()
        self._stopped = False
        self._open: dict[str, Any] = {}
        gateway = access.gateway
        self.route: Route = Gateway(gateway, lambda: login_key(access)) if gateway else Direct()

    @property
    def stopped(self) -> bool:
        """Say whether everything was told to stop."""
        return self._stopped

    def session(self, server: Server, patience: Patience | None = None) -> paramiko.Channel:
        """Begin a session on a server, over the connection that is there, or over a new one.

        :param patience: instead of the settings'.
        :raises HostUnreachable: it did not let us in before the limit passed; says the last reason.
        :raises UntrustedHost: it showed another host key than it is known by, or its keys cannot be found out.
        :raises Interrupted: everything was told to stop.
        """
        self._refuse_when_stopped()
        connection = self._open.get(server.id)
        begun = session(connection) if connection else None
        if begun is None:
            begun = session(self._connect(server, patience or self._access.patience))
        if begun is None:
            self._refuse_when_stopped()
            raise unreachable(server, "the connection was opened and lost at once")
        return begun

    def drop(self, server: Server) -> None:
        """Close the connection to a server, if there is one; a later session opens a new one."""
        with self._lock:
            connection = self._open.pop(server.id, None)
        if connection:
            _end(connection)

    def stop(self) -> None:
        """End every session, and refuse new ones until `close`."""
        with self._lock:
            self._stopped = True
        self._drop_all()

    def close(self) -> None:
        """Close every connection; later sessions open new ones."""
        self._drop_all()
        with self._lock:
            self._stopped = False

    def _connect(self, server: Server, patience: Patience) -> Any:
        def door(trusted: tuple[HostKey, ...] | None) -> Any:
            return self._opened(server, trusted, patience)

        try:
            return door(self._trust.keys(server, self._access.port, patience, door))
        except HostUnreachable:
            self._refuse_when_stopped()
            raise

    def _opened(self, server: Server, trusted: tuple[HostKey, ...] | None, patience: Patience) -> Any:
        key = login_key(self._access)
        opening = Opening(server, trusted, self.route, self._clock)

        def look() -> Any | None:
            connection = prepared(server, self._access, key, trusted)
            self._keep(server, connection)
            return connection if opening.attempt(connection) else None

        try:
            connection = until(look, what=f"SSH on {server.name}", patience=patience, clock=self._clock)
        except TimedOut as error:
            raise opening.failed(f"{error}; ") from error
        connection.transport.set_keepalive(self._access.keepalive)
        return connection

    def _keep(self, server: Server, connection: Any) -> None:
        """Keep a connection even while it opens, so that `stop` can end that too."""
        with self._lock:
            previous = self._open.pop(server.id, None)
            if not self._stopped:
                self._open[server.id] = connection
        if previous:
            _end(previous)
        self._refuse_when_stopped()

    def _drop_all(self) -> None:
        with self._lock:
            connections = list(self._open.values())
            self._open.clear()
        with ThreadPoolExecutor(max_workers=max(1, len(connections))) as pool:  # each takes a tenth of a second
            list(pool.map(_end, connections))
        self.route.close()

    def _refuse_when_stopped(self) -> None:
        if self._stopped:
            raise Interrupted("stopped: no command is run on the servers any more")


def _end(connection: Any) -> None:
    connection.close()
    connection.client.close()  # Fabric's close() does nothing to a connection that is still being opened
