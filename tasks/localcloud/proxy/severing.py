"""Cutting the established connections of a process of ours, from outside.

Envoy lets whatever is in flight to a backend finish and has no command to cut it, but a DISABLED node's "existing
connections are forcibly terminated" (CLB docs, nodes). So its parent takes a duplicate of the socket (pidfd_getfd,
Linux 5.6) and shuts it down: both ends see the connection end, as they would in the cloud.

Two frontends may have the same backend, and only one of them may disable it. That is what a *mark* is for: a number
that Envoy sets as TCP keep-alive idle time (seconds, hours long, so without effect) on all connections of a frontend to
its backends, and that is read back here.
"""

import contextlib
import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.localcloud.proxy.frontends import Endpoint

PIDFD_GETFD = 438  # the same number on every architecture
ESTABLISHED = "01"
FIRST_MARK, LAST_MARK = 10_000, 32_767  # seconds; TCP_KEEPIDLE ends there


class CannotSever(Exception):
    """The kernel does not let us take the sockets of our own child process."""

    def __init__(self, pid: int, reason: str) -> None:
        self.pid = pid
        super().__init__(
            f"established connections of process {pid} could not be cut ({reason}); they will end by themselves"
        )


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An established TCP connection as the kernel lists it."""

    local: Endpoint
    remote: Endpoint
    inode: int


def sever_marked(pid: int, remote: Endpoint, mark: int) -> int:
    """Cut a process's connections to `remote` that carry `mark`; return how many.

    :raises CannotSever: the kernel refuses.
    """
    connections = [connection for connection in established() if connection.remote == remote]
    return sum(sever(taken) for taken in taken_sockets(pid, connections) if mark_of(taken) == mark)


def sever_accepted(pid: int, local: Endpoint) -> int:
    """Cut a process's connections that clients made to `local`; return how many.

    :raises CannotSever: the kernel refuses.
    """
    connections = [connection for connection in established() if connection.local == local]
    return sum(sever(taken) for taken in taken_sockets(pid, connections))


def mark_of(taken: socket.socket) -> int:
    """Read the mark that was set on a connection to a backend."""
    return taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)


def sever(taken: socket.socket) -> int:
    """End one connection in both directions; it may have ended by itself meanwhile."""
    with contextlib.suppress(OSError):
        taken.shutdown(socket.SHUT_RDWR)
        return 1
    return 0


def taken_sockets(pid: int, connections: list[Connection]) -> Iterator[socket.socket]:
    """Duplicate a process's sockets of these connections, each open while it is looked at."""
    inodes = {f"socket:[{connection.inode}]" for connection in connections}
    if not inodes:
        return
    with open_process(pid) as process:
        for descriptor in descriptors(pid, inodes):
            with taken(process, pid, descriptor) as duplicate:
                yield duplicate


def descriptors(pid: int, targets: set[str]) -> Iterator[int]:
    """List a process's descriptors of these targets; others may be closed while we look."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if str(descriptor.readlink()) in targets:
                yield int(descriptor.name)


@contextlib.contextmanager
def open_process(pid: int) -> Iterator[int]:
    """Open a descriptor of a process, closed afterwards.

    :raises CannotSever: the process has ended.
    """
    try:
        process = os.pidfd_open(pid)
    except OSError as error:
        raise CannotSever(pid, str(error)) from error
    try:
        yield process
    finally:
        os.close(process)


def taken(process: int, pid: int, descriptor: int) -> socket.socket:
    """Duplicate another process's socket."""
    duplicate = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, descriptor, 0)
    if duplicate < 0:
        raise CannotSever(pid, f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=duplicate)


def established() -> Iterator[Connection]:
    """List all established IPv4 connections of this network namespace."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == ESTABLISHED:
            yield Connection(local=endpoint(fields[1]), remote=endpoint(fields[2]), inode=int(fields[9]))


def endpoint(text: str) -> Endpoint:
    """Read `0100007F:1F90` as 127.0.0.1:8080: the address is in the machine's own byte order."""
    address, port = text.split(":")
    native = int(address, 16).to_bytes(4, sys.byteorder)
    return Endpoint(address=socket.inet_ntoa(native), port=int(port, 16))
