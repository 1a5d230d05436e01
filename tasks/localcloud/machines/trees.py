"""Removing folders of servers, whose programs may have taken away their own permission to write."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any


def remove(folder: Path) -> None:
    """Remove a folder and everything in it; what is gone already is no mistake."""
    try:
        shutil.rmtree(folder, onerror=_unless_gone)
    except PermissionError:
        _open_up(folder)
        shutil.rmtree(folder, onerror=_unless_gone)


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
