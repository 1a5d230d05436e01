"""The page as a file beside its journal. It can be made again from that at any time."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.report.html.page import page
from tasks.report.journals import REPORT, read


def write(journal: Path) -> Path:
    """Write the report of a run beside its journal, and give its path. Only its owner can read it, as the journal.

    :raises OSError: it can not be written.
    :raises ValueError: there is no such journal.
    """
    run = read(journal)
    if run is None:
        raise ValueError(f"{journal} is no journal that could be read")
    path = journal.with_name(REPORT)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600), "w") as file:
        file.write(page(run))
    unfinished.replace(path)
    return path
