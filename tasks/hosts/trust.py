"""Which SSH host keys a server is trusted by: those that it printed on its console, read over the cloud's API.

Never "accept any": a server without keys on its console is not logged in to. Knows nothing of connections.
"""

from __future__ import annotations

from collections.abc import Callable

from tasks.errors import HostUnreachable, TimedOut, UntrustedHost
from tasks.hosts.console_keys import HostKey, host_keys
from tasks.hosts.known_hosts import KnownHosts, name_of
from tasks.hosts.output import printable
from tasks.rollout.model import Server
from tasks.waiting import Clock, Patience, until

_SHOWN_LINES = 5


class Trust:
    """Finds a server's host keys once, and remembers them in a known_hosts file.

    :param console: gives a server's console text by the server's id, empty when there is none yet; a CloudError that
        it raises is passed on.
    """

    def __init__(self, *, console: Callable[[str], str], known_hosts: KnownHosts, clock: Clock) -> None:
        self._console = console
        self._known_hosts = known_hosts
        self._clock = clock

    def keys(self, server: Server, port: int, patience: Patience) -> tuple[HostKey, ...]:
        """Give the host keys of a server that listens on `port`.

        Waits for them to be printed: cloud-init does so last, after all user scripts.

        Keys of an earlier run are taken from the file: a console forgets its first boot, and ids are never used again.

        :raises UntrustedHost: no keys appeared on the console in time.
        """
        host = name_of(address_of(server), port)
        if known := self._known_hosts.keys(host, server.id):
            return known
        try:
            what = f"the SSH host keys of {server.name} on its console"
            keys = until(lambda: self._look(server), what=what, patience=patience, clock=self._clock)
        except TimedOut as error:
            raise self._untrusted(server, patience) from error
        self._known_hosts.record(host, server.id, keys)
        return keys

    def _look(self, server: Server) -> tuple[HostKey, ...] | None:
        return host_keys(self._console(server.id)) or None

    def _untrusted(self, server: Server, patience: Patience) -> UntrustedHost:
        seen = [printable(line) for line in self._console(server.id).splitlines() if line.strip()][-_SHOWN_LINES:]
        lines = "\n".join(f"    {line}" for line in seen) or "    (nothing)"
        return UntrustedHost(
            f"{server.name} printed no SSH host keys on its console within {patience.limit:g} s; it ends:\n{lines}",
            server=server.name,
            advice="The image's cloud-init must print them (ssh: emit_keys_to_console: true).",
        )


def address_of(server: Server) -> str:
    """Give a server's private IP.

    :raises HostUnreachable: it has none.
    """
    if server.private_ip is None:
        raise HostUnreachable(f"{server.name} has no private IP", server=server.name, advice="Check the networks.")
    return server.private_ip


def refused(server: Server, got: str, trusted: tuple[HostKey, ...]) -> UntrustedHost:
    """Say that a server showed another key, by fingerprint, than those it printed."""
    known = ", ".join(f"{key.fingerprint} ({key.type})" for key in trusted)
    return UntrustedHost(
        f"{server.name} at {server.private_ip} showed the SSH host key {got}, but its console says {known}",
        server=server.name,
        advice="Something else answers at that address, or the keys were changed after the first boot: "
        "do not log in before you know which.",
    )
