"""Removing folders of servers, whose programs may have taken away their own permission to write."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def remove(folder: Path) -> None:
    """Remove a folder and everything in it."""
    shutil.rmtree(folder, onerror=_allow_and_retry)


def _allow_and_retry(remove_entry: object, path: str, error: object) -> None:
    del error
    for folder in (Path(path).parent, Path(path)):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o700)
    if remove_entry is os.unlink:
        Path(path).unlink(missing_ok=True)
    elif Path(path).exists():
        shutil.rmtree(path)
