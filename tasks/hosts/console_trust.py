"""Trust by the console: host keys that a server printed at its first boot, read over the cloud's API."""

from __future__ import annotations

from collections.abc import Callable

from tasks.errors import CloudError, CloudUnreachable, TimedOut, Uncertain, UntrustedHost
from tasks.hosts.console_keys import HostKey, host_keys
from tasks.hosts.trust import Door
from tasks.plain import printable
from tasks.rollout.model import Server
from tasks.waiting import Clock, Patience, until

_SHOWN_LINES = 5
_NOT_OFFERED = {405, 501}  # a cloud or a hypervisor without consoles (compute api-ref, os-getConsoleOutput)
_INSTEAD = 'For a cloud that shows no consoles: server.trust = "injected".'


class ConsoleKeys:
    """Reads keys from consoles (an Introduction).

    :param read: gives a server's console text by the server's id, empty when there is none yet; a CloudError that
        it raises is passed on, at once or, where it says that an answer was lost, in the end.
    """

    def __init__(self, read: Callable[[str], str], clock: Clock) -> None:
        self._read = read
        self._clock = clock

    def meet(self, server: Server, patience: Patience, door: Door) -> tuple[HostKey, ...]:
        """Give the keys on the console. Waits for them: cloud-init prints them last, after all user scripts.

        :raises UntrustedHost: none appeared in time.
        """
        del door
        what = f"the SSH host keys of {server.name} on its console"
        try:
            return until(lambda: self._look(server), what=what, patience=patience, clock=self._clock)
        except TimedOut as error:
            raise self._silent(server, patience) from error
        except CloudError as error:
            if error.status not in _NOT_OFFERED:
                raise
            raise UntrustedHost(
                f"the host keys of {server.name} are to be read from its console, but {error.problem}",
                server=server.name,
                advice=_INSTEAD,
            ) from error

    def _look(self, server: Server) -> tuple[HostKey, ...] | None:
        try:
            return host_keys(self._read(server.id)) or None
        except (Uncertain, CloudUnreachable):
            return None  # an answer that was lost; the next one may come

    def _silent(self, server: Server, patience: Patience) -> UntrustedHost:
        seen = [printable(line) for line in self._read(server.id).splitlines() if line.strip()][-_SHOWN_LINES:]
        lines = "\n".join(f"    {line}" for line in seen) or "    (nothing)"
        return UntrustedHost(
            f"{server.name} printed no SSH host keys on its console within {patience.limit:g} s; it ends:\n{lines}",
            server=server.name,
            advice=f"The image's cloud-init must print them (ssh: emit_keys_to_console: true). {_INSTEAD}",
        )
