"""The SSH server of one local server: root only, public keys only, commands and sftp.

Authorized keys are read at every login, so that a key taken away in the server no longer opens it.
"""

from __future__ import annotations

import asyncio
import logging
import posixpath
import socket
from collections.abc import Sequence
from contextlib import suppress

import asyncssh

from tasks.localcloud.machines import commands, console
from tasks.localcloud.machines.children import Children
from tasks.localcloud.machines.line import Line
from tasks.localcloud.machines.passage import Passage
from tasks.localcloud.machines.place import Place

_KEEPALIVE_SECONDS = 60


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

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], place: Place, passage: Passage) -> None:
        folder = str(place.root)
        super().__init__(chan, chroot=None if folder == "/" else folder.encode())
        self._passage = passage

    def map_path(self, path: bytes) -> bytes:
        return super().map_path(posixpath.join(b"/root", path))

    async def exit(self) -> None:
        await self._passage.end()


class Sshd:
    """Serves connections that somebody else accepts, as soon as it has been given host keys to show."""

    def __init__(self, place: Place, children: Children, line: Line) -> None:
        self._place = place
        self._children = children
        self._line = line
        self._options: asyncssh.SSHServerConnectionOptions
        logging.getLogger("asyncssh").setLevel(logging.ERROR)

    async def show(self, keys: Sequence[asyncssh.SSHKey]) -> None:
        """Show these host keys on connections from now on."""
        self._options = await asyncssh.SSHServerConnectionOptions.construct(
            server_factory=lambda: _Login(self._place),
            server_host_keys=list(keys),
            process_factory=self._run,
            sftp_factory=self._open_files,
            encoding=None,
            line_editor=False,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_host=None,
            agent_forwarding=False,
            x11_forwarding=False,
            keepalive_interval=_KEEPALIVE_SECONDS,
        )

    async def serve(self, accepted: socket.socket) -> None:
        """Speak SSH on a connection; returns as soon as that has begun."""
        loop = asyncio.get_running_loop()
        with suppress(OSError):  # the client has left already
            await loop.connect_accepted_socket(lambda: asyncssh.SSHServerConnection(loop, self._options), accepted)

    async def _run(self, process: commands.Process) -> None:
        await commands.serve(process, Passage(self._line, process.channel), self._place, self._children)

    async def _open_files(self, channel: asyncssh.SSHServerChannel[bytes]) -> _Files:
        passage = Passage(self._line, channel)
        if not await passage.begin():
            raise asyncio.CancelledError  # what asyncssh takes for the quiet end of a session
        return _Files(channel, self._place, passage)
