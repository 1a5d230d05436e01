"""Paths of Unix sockets: the kernel allows 107 bytes, and a state directory may be longer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def short(path: Path) -> Iterator[str]:
    """Give another name of a socket, to bind or connect to, through its folder's descriptor: that is never too long.

    :raises OSError: its folder does not exist.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
