"""Who may act on a state directory, and whether its daemon lives: both are decided by the kernel, never by a PID file.

A lock vanishes with the process that holds it, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FLOCK = "hhqqi4x"  # struct flock of 64-bit Linux: type, whence, start, length, pid


@contextmanager
def exclusive(directory: Path) -> Iterator[int]:
    """Be the only one who starts or ends the cloud of this directory; waits for its turn. Makes the directory.

    The directory itself is what is locked, so that no lock file outlives it. Gives the descriptor that holds the lock:
    a process that inherits it holds the lock as well.
    """
    while True:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _still_there(directory, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _still_there(directory: Path, descriptor: int) -> bool:
    """Say whether the directory we locked is the one of that name, or was removed by who held the lock before us."""
    try:
        return os.path.samestat(directory.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def hold(path: Path) -> int:
    """Lock a file until this process ends, and give its descriptor, which must stay open.

    A POSIX lock, because forked children do not inherit those: the lock says that *this* process lives.

    :raises BlockingIOError: another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def holder(path: Path) -> int | None:
    """Give the PID of the process that holds the lock on a file, None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        wish = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, wish))
    finally:
        os.close(descriptor)
    return None if answer[0] == fcntl.F_UNLCK else int(answer[4])
