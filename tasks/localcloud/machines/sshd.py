"""The SSH server of one local server: root only, public keys only, commands and sftp.

Authorized keys are read at every login, so that a key taken away in the server no longer opens it.
"""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

import asyncssh

from tasks.localcloud.machines import commands, console
from tasks.localcloud.machines.children import Children
from tasks.localcloud.machines.place import Place

_KEEPALIVE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the SSH server listens."""

    ip: str
    port: int


class _Login(asyncssh.SSHServer):
    """One connection: who may log in."""

    def __init__(self, place: Place) -> None:
        self._keys = place.home / ".ssh/authorized_keys"

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        if username == "root":
            try:
                self._connection.set_authorized_keys(str(self._keys))
            except (OSError, ValueError) as error:
                console.say(f"sshd: no key can log in: {error}")
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        del username, key
        return False

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        """Allow forwarding, as OpenSSH does by default: a server may be the gateway to others."""
        del dest_host, dest_port, orig_host, orig_port
        return True


class _Files(asyncssh.SFTPServer):
    """Files as seen from the server's own root; relative paths begin in root's home."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], place: Place) -> None:
        folder = str(place.root)
        super().__init__(chan, chroot=None if folder == "/" else folder.encode())

    def map_path(self, path: bytes) -> bytes:
        return super().map_path(posixpath.join(b"/root", path))


async def listen(
    address: Address, keys: Sequence[asyncssh.SSHKey], place: Place, children: Children
) -> asyncssh.SSHAcceptor:
    """Accept connections from now on.

    :raises OSError: when the address is not free.
    """
    logging.getLogger("asyncssh").setLevel(logging.ERROR)

    async def serve(process: commands.Process) -> None:
        await commands.serve(process, place, children)

    return await asyncssh.create_server(
        lambda: _Login(place),
        address.ip,
        address.port,
        server_host_keys=list(keys),
        process_factory=serve,
        sftp_factory=lambda chan: _Files(chan, place),
        encoding=None,
        line_editor=False,
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        agent_forwarding=False,
        x11_forwarding=False,
        keepalive_interval=_KEEPALIVE_SECONDS,
        reuse_address=True,
    )
