"""The journal: each event of a rollout is one line of JSON, for people and programs to read later. Never the truth.

Owns when and where lines are written. What is in them is known to `journal_lines`, what it means to `journal_format`.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tasks.rollout.events import Begun, Event, Observed, Planned, Requested, Said
from tasks.rollout.journal_lines import Lines

MOST_HELD = 1000


def _nobody(_line: str) -> None:
    """Tell nobody."""


class Journal:
    """Appends events to a file, which only its owner can read. A full disk is no reason to fail a deploy.

    Looking alone leaves no journal: what is heard before anything begins is held back, and follows the first line,
    which says what was begun. Threads may tell of events at the same time.

    :param also: is given each line as well, at the same time, with its newline.
    """

    def __init__(self, path: Path, also: Callable[[str], None] = _nobody) -> None:
        self.path = path
        self._also = also
        self._lines = Lines()
        self._held: deque[str] | None = deque(maxlen=MOST_HELD)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write one event down, now or when something begins."""
        with self._lock:
            line = json.dumps(self._lines.of(event)) + "\n"
            if self._held is None:
                self._write(line)
            elif isinstance(event, Observed | Planned | Requested | Said):
                self._held.append(line)
            else:
                self._begin(line, event)

    def _begin(self, line: str, event: Event) -> None:
        held, self._held = "".join(self._held or ()), None
        self._write(line + held if isinstance(event, Begun) else held + line)

    def _write(self, lines: str) -> None:
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode=0o600), "a") as file:
                file.write(lines)
        for line in lines.splitlines(keepends=True):
            self._also(line)
