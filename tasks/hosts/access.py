"""How servers are logged in to, and what must not be shown. Values only: no SSH library is imported here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tasks.waiting import Patience


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A text that no log, traceback or repr shows; `reveal` is the only way to it."""

    value: str = field(repr=False)

    def reveal(self) -> str:
        """Give the text itself."""
        return self.value

    def __str__(self) -> str:
        return "[hidden]"


class Passphrase:
    """A secret that is asked for once, when it is first needed, by whichever thread needs it."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answer: Secret | None = None

    def reveal(self) -> str:
        """Give the text itself. What `ask` raises is passed on."""
        with self._lock:
            self._answer = self._answer or Secret(value=self._ask())
            return self._answer.reveal()


@dataclass(frozen=True, kw_only=True)
class GatewayAddress:
    """A jump host, and who logs in there."""

    user: str
    host: str
    port: int = 22

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class SshAccess:
    """How to log in to every server. No ssh_config applies, so that a deploy does the same from everybody's machine.

    Where neither `key_file` nor `private_key` is given, the SSH agent and the keys in `~/.ssh` are offered, as Fabric
    does; with one of them, only that key is.

    :param user: anyone but root runs everything through `sudo -n`.
    :param key_file: a private key file, encrypted or not; a `.pub` file is a key that the SSH agent holds.
    :param private_key: a private key itself, as text in OpenSSH's format.
    :param passphrase: of the key, if it is encrypted and the SSH agent does not hold it.
    :param gateway: a jump host, where private IPs cannot be reached from here.
    :param patience: how long a server may take to show its host keys, and then to let us in.
    :param connect_timeout: for one attempt, in seconds; also for its greeting and for the login.
    :param keepalive: how often an idle connection is kept from being forgotten by firewalls, in seconds.
    """

    user: str = "root"
    port: int = 22
    key_file: Path | None = None
    private_key: Secret | None = None
    passphrase: Secret | Passphrase | None = None
    gateway: GatewayAddress | None = None
    patience: Patience = field(default_factory=lambda: Patience(limit=300.0, longest=2.0))
    connect_timeout: float = 5.0
    keepalive: int = 15
