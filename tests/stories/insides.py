"""Servers from inside: logging in as the operator's deploys do, by the files that these keep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from tests.stories.operators import Operator

APP = "guestbook-production"
SSH_PORT = 2222


class Inside:
    """A server that is logged in to."""

    def __init__(self, client: paramiko.SSHClient) -> None:
        self._client = client

    def sh(self, script: str) -> str:
        """Run a script as root; give what it printed."""
        _, stdout, _ = self._client.exec_command(script, timeout=30)
        return stdout.read().decode()


@contextmanager
def inside(operator: Operator, address: str) -> Iterator[Inside]:
    """Log in to a server with the deploy's key, if it shows the host key that the deploy has verified."""
    state = operator.folder / "disposable-servers"
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(state / "known_hosts" / APP))
        key = str(state / "keys" / APP / "id_ed25519")
        client.connect(address, SSH_PORT, "root", key_filename=key, allow_agent=False, look_for_keys=False, timeout=10)
        yield Inside(client)
