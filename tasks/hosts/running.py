"""How a command is run on a server: as root, with a deadline, its output taken line by line, its failure told.

Fabric's own `run` looks every 10 ms whether a command has ended and sends its input one character at a time; a session
read here ends when the command does, and takes a release at the speed of the network.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import paramiko

from tasks.errors import CommandFailed, ConnectionLost, Interrupted, ReleaseError
from tasks.hosts.connection import unreachable
from tasks.hosts.connections import Connections
from tasks.hosts.output import Lines
from tasks.rollout.model import Server
from tasks.waiting import Patience

_CHUNK = 64 * 1024
NO_EXIT_CODE = -1


class Sink(Protocol):
    """A command's standard input."""

    def write(self, data: bytes, /) -> object:
        """Send bytes; waits when the server takes them slowly."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command for a server.

    :param stage: set up, migrate, test, start …
    :param name: what people know it by; it is what errors show.
    :param script: for `sh`; runs as root.
    :param deadline: in seconds.
    :param feed: writes to the command's standard input.
    :param patience: how long to wait for a connection, where that is not the settings' affair.
    """

    stage: str
    name: str
    script: str
    deadline: float
    feed: Callable[[Sink], None] | None = None
    patience: Patience | None = None

    def line(self, user: str) -> str:
        """Give the command line for the login shell, whichever shell that is."""
        # One stream for both outputs keeps their order. The last "exit" keeps sh from replacing itself: death by a
        # signal then is a code, which SSH passes on.
        run = shlex.join(("sh", "-c", f"exec 2>&1\n{self.script}\nexit $?"))
        return run if user == "root" else f"sudo -n {run}"


def run(server: Server, command: Command, *, user: str, on: Connections, lines: Lines) -> None:
    """Run a command to its end.

    :raises CommandFailed: it exited with another code than 0, or did not end before its deadline.
    :raises ReleaseError: its input could not be read on our side.
    :raises HostUnreachable: there is no connection.
    :raises ConnectionLost: it was lost. Whether the command still runs is not known.
    :raises Interrupted: everything was told to stop.
    """
    channel = on.session(server, command.patience)
    with _closing_after(command.deadline, channel) as expired:
        code = _exit_code(channel, command, user, lines)
    if code == 0:
        return
    if on.stopped:
        raise Interrupted(f"{command.stage} was stopped on {server.name}: {command.name}")
    if expired.is_set():
        lines.feed(f"… not ended after {command.deadline:g} s, and given up\n".encode())
    elif code == NO_EXIT_CODE and not channel.get_transport().is_active():
        raise unreachable(server, f"it was lost while {command.stage} ran {command.name}", ConnectionLost)
    raise CommandFailed(
        server=server.name, stage=command.stage, command=command.name, exit_code=code, tail=lines.tail
    )  # fmt: skip


def run_in(channel: paramiko.Channel, command: Command, user: str, lines: Lines) -> int:
    """Run a command in a session that was begun elsewhere, and close it.

    Gives its exit code; NO_EXIT_CODE when the connection was lost or the deadline has passed.
    """
    with _closing_after(command.deadline, channel):
        return _exit_code(channel, command, user, lines)


def _exit_code(channel: paramiko.Channel, command: Command, user: str, lines: Lines) -> int:
    try:
        channel.set_combine_stderr(True)
        # Bytes, since a file of any name may be run.
        channel.exec_command(command.line(user).encode(errors="surrogateescape"))
        if command.feed:
            _feed(channel, command.feed)
        while content := channel.recv(_CHUNK):
            lines.feed(content)
        return channel.recv_exit_status()
    except (paramiko.SSHException, EOFError, OSError):
        return NO_EXIT_CODE
    finally:
        lines.end()


def _feed(channel: paramiko.Channel, feed: Callable[[Sink], None]) -> None:
    try:
        feed(_Input(channel))
        channel.shutdown_write()  # ends the command's input
    except OSError as error:
        if not channel.closed:
            raise ReleaseError(f"what was to be sent to the server could not be read: {error}") from error
        # Else the command ended without reading it all; its output and exit code say why.


class _Input:
    """A session's input, with no finalizer.

    tarfile leaves what it writes to in a cycle; a file of paramiko's may print a traceback when that is collected.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def write(self, data: bytes, /) -> None:
        self._channel.sendall(data)


@contextmanager
def _closing_after(seconds: float, channel: paramiko.Channel) -> Iterator[threading.Event]:
    """Close a session when its time is up: that ends every wait on it, whatever for."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _close(channel)

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
        _close(channel)


def _close(channel: paramiko.Channel) -> None:
    with suppress(paramiko.SSHException, EOFError, OSError):  # the connection may be lost already
        channel.close()
