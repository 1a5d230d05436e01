"""Removing files and folders of a local cloud: servers' programs and mounts leave them closed, or are still busy there.

Knows nothing of what they were for.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

_LOOK_AGAIN_SECONDS = 0.05  # a process that still writes while it ends says nothing when it has


def remove(path: Path, *, patience: float = 5.0) -> None:
    """Remove a file, or a folder and everything in it; what is gone already is no mistake.

    Folders without permissions, as overlays and servers' programs leave them behind, are opened; one that processes
    still write to while they end is tried again for `patience` seconds.

    :raises OSError: something could not be removed within that time.
    """
    deadline = time.monotonic() + patience
    while os.path.lexists(path):
        try:
            _remove_now(path)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_AGAIN_SECONDS)


def _remove_now(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path, onerror=_unless_gone)
    except PermissionError:
        _open_up(path)
        shutil.rmtree(path, onerror=_unless_gone)


def _open_up(folder: Path) -> None:
    """Let their owner into all folders below; from the top down, since a closed one hides those below it."""
    folder.chmod(0o700)
    for path, folders, _ in os.walk(folder):
        for name in folders:
            below = Path(path, name)
            if not below.is_symlink():
                below.chmod(0o700)


def _unless_gone(_remove_entry: object, _path: str, error: Any) -> None:
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]
