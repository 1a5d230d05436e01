"""What commands on servers print, kept in one file a server beside the journal."""

from __future__ import annotations

import os
import threading
from pathlib import Path


class OutputLog:
    """Appends lines to `SERVER.log` in a folder. Several servers may print at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def __call__(self, server: str, stage: str, line: str) -> None:
        """Keep one line that a stage on a server has printed."""
        with self._lock, os.fdopen(self._open(server), "a", encoding="utf-8") as log:
            log.write(f"{stage}: {line}\n")

    def _open(self, server: str) -> int:
        path = self._folder / f"{Path(server).name}.log"
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode=0o600)
