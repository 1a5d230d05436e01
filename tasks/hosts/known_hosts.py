"""A known_hosts file of our own: what was learnt from consoles, for the next run and for plain `ssh`.

Use it as `ssh -o UserKnownHostsFile=<file> -p <port> root@<private ip>`. Addresses are used again for other servers, so
every line ends with the id of its server, and a server that takes over an address takes over its lines.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tasks.hosts.console_keys import HostKey, host_keys_in


def name_of(address: str, port: int) -> str:
    """Write an address and port the way known_hosts files do."""
    return address if port == 22 else f"[{address}]:{port}"


class KnownHosts:
    """The file. Safe for several threads and processes: one writes at a time, and readers see all or nothing of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keys(self, host: str, server_id: str) -> tuple[HostKey, ...]:
        """Give the keys that were recorded for this very server at this address; none when it is not known."""
        lines = (line.split() for line in self._lines())
        own = (fields for fields in lines if len(fields) == 4 and (fields[0], fields[3]) == (host, server_id))
        return tuple(key for fields in own for key in host_keys_in(" ".join(fields[1:3])))

    def record(self, host: str, server_id: str, keys: Sequence[HostKey]) -> None:
        """Replace whatever is recorded for this address."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._one_writer():
            others = [line for line in self._lines() if line.split()[:1] != [host]]
            ours = [f"{host} {key.type} {key.text} {server_id}" for key in keys]
            self._replace("".join(f"{line}\n" for line in (*others, *ours)))

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text().splitlines()
        except FileNotFoundError:
            return []

    def _replace(self, text: str) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.path.parent, prefix=".known_hosts-", delete=False) as draft:
            draft.write(text)  # the draft has mode 0600
        Path(draft.name).replace(self.path)

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        # A lock on the folder needs no file of its own; each open() has a lock of its own, so threads wait as well.
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
