"""Trust on first use: whichever key a server shows first is its own from then on. Has to be asked for by name."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tasks.hosts.console_keys import HostKey
from tasks.hosts.trust import Door
from tasks.rollout.model import Server
from tasks.waiting import Patience

WARNING = (
    'server.trust = "first-use": the first SSH host key that each new server shows is believed. Whoever can put a '
    "machine at its address can pass for it."
)


class FirstUse:
    """Believes the first key (an Introduction).

    :param warn: is told once, before the first key is believed.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._lock = threading.Lock()
        self._warned = False

    def meet(self, server: Server, patience: Patience, door: Door) -> tuple[HostKey, ...]:
        """Give the key that the server shows now."""
        del server, patience
        with self._lock:
            if not self._warned:
                self._warn(WARNING)
            self._warned = True
        shown = door(None).transport.get_remote_server_key()
        return (HostKey(type=shown.get_name(), text=shown.get_base64()),)
