"""The journal's lines for a program that listens, as they are written: to standard output or to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from tasks.errors import SettingsError

STANDARD_OUTPUT = "-"


def stream(target: str | None) -> Callable[[str], None]:
    """Give what writes lines to `target`: a file that is begun anew, "-" for standard output, None for nowhere.

    A listener that goes away, or a disk that is full, ends the stream and not the deploy.

    :raises SettingsError: the file can not be written.
    """
    if target is None:
        return lambda _line: None
    file = _opened(target)

    def write(line: str) -> None:
        # ValueError: it was closed after an error.
        with suppress(OSError, ValueError):
            file.write(line)
            file.flush()

    return write


def _opened(target: str) -> TextIO:
    if target == STANDARD_OUTPUT:
        # A descriptor of its own: were the listener gone, Python would fail at its end to flush what sys.stdout has.
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    try:
        return Path(target).open("w", buffering=1)
    except OSError as error:
        raise SettingsError(
            f"--events: {target} can not be written: {error.strerror}",
            advice='Name a file, or "-" for standard output.',
        ) from error
