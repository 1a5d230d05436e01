"""What commands on servers print, kept in one file a server beside the journal."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tasks.plain import visible

MOST = 64 * 1024 * 1024
"""So many bytes of a server's output are kept."""
NO_MORE = b"What was printed after this is not kept.\n"


OnLine = Callable[[str, str, str], None]
"""Gets a server's name, the stage and a line."""


def told_to(*ears: OnLine) -> OnLine:
    """Give what tells each of these of a line. Whoever read it may have gone, as `head` does: that fails no deploy."""

    def tell(server: str, stage: str, line: str) -> None:
        for ear in ears:
            with suppress(OSError):
                ear(server, stage, line)

    return tell


class OutputLog:
    """Appends lines to `SERVER.log` in a folder. Several servers may print at once.

    A full disk is no reason to fail a deploy, and a server that never stops printing none to fill it.
    """

    def __init__(self, folder: Path, most: int = MOST) -> None:
        self._folder = folder
        self._most = most
        self._lock = threading.Lock()

    def __call__(self, server: str, stage: str, line: str) -> None:
        """Keep one line that a stage on a server has printed."""
        # ValueError is a name that no file can have.
        with suppress(OSError, ValueError), self._lock, os.fdopen(self._open(server), "ab") as log:
            text = f"{stage}: {line}\n".encode(errors="replace")
            if log.tell() >= self._most:
                return
            is_last = log.tell() + len(text) >= self._most
            log.write(text + NO_MORE if is_last else text)

    def _open(self, server: str) -> int:
        path = self._folder / f"{visible(Path(server).name)}.log"
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode=0o600)
