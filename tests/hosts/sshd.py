"""A real SSH server in a thread, on a loopback address: it runs what it is told with a folder for its root."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncssh

BEGIN, END = "-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----"


class SshServer:
    """Listens on `address`:`port` once started, shows `host_key`, lets in whoever has one of the `authorized` keys.

    Programs in `path` come before those of this machine. A command that leaves a file `reload` in the root has the keys
    in /etc/ssh shown from then on.
    """

    def __init__(self, root: Path, address: str = "127.77.0.1", port: int = 0) -> None:
        self.root = root
        self.address = address
        self.port = port
        self.path = Path("/nowhere")
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.authorized: list[str] = []
        self.lets_everybody_in = False
        self.logins = 0
        self.refusals = 0
        self.commands: list[str] = []
        self.forwarded: list[tuple[str, int]] = []
        self._open: list[asyncssh.SSHServerConnection] = []
        # A task that is cancelled while it starts a program waits for ever (asyncio, _make_subprocess_transport).
        self._starting = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listener: asyncssh.SSHAcceptor | None = None

    def console(self, *keys: asyncssh.SSHKey) -> str:
        """Print host keys as cloud-init does; this server's own unless others are given."""
        lines = [key.export_public_key().decode().strip() + " root@web" for key in keys or (self.host_key,)]
        return "\r\n".join(["[    0.1] Linux", BEGIN, *lines, END, "login: "])

    def start(self) -> None:
        """Listen; returns when it does."""
        self._call(self._listen())

    def show(self, key: asyncssh.SSHKey) -> None:
        """Show another host key to new connections."""
        self._listener.update(server_host_keys=[key])

    def drop_connections(self) -> None:
        """Cut every connection without a word."""
        self._call(self._abort())

    def close(self) -> None:
        """End everything; its address is free then."""
        if self._loop.is_closed():
            return
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _listen(self):
        self._listener = await asyncssh.listen(
            self.address, self.port, server_host_keys=[self.host_key], process_factory=self._run, encoding=None,
            server_factory=lambda: _Door(self),
        )  # fmt: skip
        self.port = self._listener.get_port()

    async def _abort(self):
        for connection in self._open:
            connection.abort()
        self._open.clear()

    async def _end(self):
        await self._abort()
        if self._listener:
            self._listener.close()
            await self._listener.wait_closed()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        async with self._starting:
            for task in rest:
                task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _run(self, process: asyncssh.SSHServerProcess):
        self.commands.append(process.command)
        async with self._starting:
            child = await asyncio.create_subprocess_exec(
                "sh", "-c", process.command, stdin=-1, stdout=-1, stderr=-1, start_new_session=True, cwd=self.root,
                env={"PATH": f"{self.path}:{os.environ['PATH']}", "SERVER_ROOT": str(self.root)},
            )  # fmt: skip
        feeding = asyncio.create_task(_feed(process, child))
        try:
            await asyncio.gather(_pump(child.stdout, process.stdout), _pump(child.stderr, process.stderr))
            code = await child.wait()
            self._reload_if_told()
            if code < 0:
                process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
            else:
                process.exit(code)
        finally:
            feeding.cancel()
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()

    def _reload_if_told(self):
        if (self.root / "reload").exists():
            keys = sorted((self.root / "etc/ssh").glob("ssh_host_*_key"))
            self._listener.update(server_host_keys=[asyncssh.read_private_key(file) for file in keys])

    def connected(self, connection):
        """Remember a connection, to be able to cut it."""
        self._open.append(connection)


@contextmanager
def impostor_at(address: str, port: int, folder: Path, *, key: asyncssh.SSHKey | None = None) -> Iterator[SshServer]:
    """Have a man in the middle listen at a server's address, which has to be free, for a while.

    It shows a host key of its own, or the one given, and would let everybody in and do what it is told: `logins` and
    `commands` tell who fell for it.
    """
    impostor = SshServer(folder, address, port)
    impostor.host_key = key or impostor.host_key
    impostor.lets_everybody_in = True
    impostor.start()
    try:
        yield impostor
    finally:
        impostor.close()


class _Door(asyncssh.SSHServer):
    def __init__(self, server: SshServer) -> None:
        self._server = server

    def connection_made(self, connection):
        self._server.connected(connection)

    def connection_requested(self, host, port, *_):
        self._server.forwarded.append((host, port))
        return True  # it may be a gateway to others

    def public_key_auth_supported(self):
        return True

    def validate_public_key(self, username, key):
        known = [line.split()[1] for line in self._server.authorized]
        welcome = self._server.lets_everybody_in or key.export_public_key().decode().split()[1] in known
        self._server.logins += welcome
        self._server.refusals += not welcome
        return welcome


async def _pump(source, sink):
    while content := await source.read(65536):
        sink.write(content)
        await sink.drain()


async def _feed(process, child):
    with suppress(ConnectionError):
        while content := await process.stdin.read(65536):
            child.stdin.write(content)
            await child.stdin.drain()
    child.stdin.close()
