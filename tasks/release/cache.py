"""The folder in which releases and wheels are kept between deploys, and how anything gets into it: whole or not at all.

Two builds at once do not disturb each other: each writes under a name of its own, and the last step is a rename.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def default_cache() -> Path:
    """Give `$XDG_CACHE_HOME/disposable-servers`, or the same under `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "disposable-servers"


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter, if it is not there yet."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def draft_file(final: Path) -> Iterator[Path]:
    """Give a file to write; it becomes `final` when the block ends well and vanishes when it does not."""
    handle, name = tempfile.mkstemp(dir=private_folder(final.parent), prefix=".draft-")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.replace(final)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def draft_folder(final: Path) -> Iterator[Path]:
    """Give a folder to fill; it becomes `final` when the block ends well, unless another build was first."""
    draft = Path(tempfile.mkdtemp(dir=private_folder(final.parent), prefix=".draft-"))
    try:
        yield draft
        if not final.exists():
            _rename_unless_taken(draft, final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _rename_unless_taken(draft: Path, final: Path) -> None:
    try:
        draft.rename(final)
    except OSError:
        if not final.is_dir():
            raise
