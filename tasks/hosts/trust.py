"""Which SSH host keys a server is trusted by: found out once, in the way that the settings name, and then kept.

Never "accept any": a server whose keys cannot be found out is not logged in to. Knows nothing of SSH connections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tasks.errors import HostUnreachable, WrongHostKey
from tasks.hosts.console_keys import HostKey
from tasks.hosts.known_hosts import KnownHosts, name_of
from tasks.rollout.model import Server
from tasks.waiting import Patience

Door = Callable[[tuple[HostKey, ...] | None], Any]
"""Opens a connection to the server in question that accepts only these keys; None accepts whichever is shown."""


class Introduction(Protocol):
    """A way to find out the host keys of a server that was never logged in to."""

    def meet(self, server: Server, patience: Patience, door: Door) -> tuple[HostKey, ...]:
        """Give its host keys; `door` is for ways that need a connection first.

        :raises UntrustedHost: they cannot be found out.
        """


class Trust:
    """Finds out a server's host keys once, and keeps them.

    :param known_hosts: the files in which keys are kept: the first is this deploy's own, later ones outlive it.
    """

    def __init__(self, introduction: Introduction, known_hosts: Sequence[KnownHosts]) -> None:
        self._introduction = introduction
        self._known_hosts = tuple(known_hosts)

    def keys(self, server: Server, port: int, patience: Patience, door: Door) -> tuple[HostKey, ...]:
        """Give the host keys of a server that listens on `port`.

        Keys of an earlier run are taken from the files: a console forgets its first boot, and ids are never used again.

        :raises UntrustedHost: they cannot be found out.
        """
        host = name_of(address_of(server), port)
        found = (file.keys(host, server.id) for file in self._known_hosts)
        known = next(filter(None, found), ()) or self._introduction.meet(server, patience, door)
        for file in self._known_hosts:
            if file.keys(host, server.id) != known:
                file.record(host, server.id, known)
        return known


def address_of(server: Server) -> str:
    """Give a server's private IP.

    :raises HostUnreachable: it has none.
    """
    if server.private_ip is None:
        raise HostUnreachable(f"{server.name} has no private IP", server=server.name, advice="Check the networks.")
    return server.private_ip


def refused(server: Server, got: str, trusted: tuple[HostKey, ...]) -> WrongHostKey:
    """Say that a server showed another key, by fingerprint, than those it is known by."""
    known = ", ".join(f"{key.fingerprint} ({key.type})" for key in trusted)
    return WrongHostKey(
        f"{server.name} at {server.private_ip} showed the SSH host key {got}, but it is known by {known}",
        server=server.name,
        advice="Something else answers at that address, or the keys were changed after the first boot: "
        "do not log in before you know which.",
    )
