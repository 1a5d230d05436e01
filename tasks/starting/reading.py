"""Reading the files of somebody's app: never run, never wholly trusted to be what they seem.

What cannot be read says nothing about the app; no file is a reason to stop.
"""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tasks.starting.model import SERVER_SETTINGS

MOST = 200_000
"""Bytes of a file that are looked at."""
MOST_FILES = 500
UNREADABLE = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)
"""What parsers raise at what is no Python, JSON or TOML, or nested too deeply."""
_SOURCES = {".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".psgi", ".go", ".php", ".sh"}
_NOT_OURS = {"node_modules", "__pycache__", "venv", "env", "site-packages", "bootstrap_scripts", "tests", "test"}
_WRITTEN = f"{SERVER_SETTINGS}.py"  # by ourselves: it says nothing of the app
_NAMES = "healthz|health|livez|readyz|_health|ping|up"
# A path as most frameworks write it, and Django's, which have no slash before them.
_HEALTH = re.compile(rf"""['"`]\^?/({_NAMES})(/?)\$?['"`]|\bpath\(\s*['"]({_NAMES})(/?)['"]""")


def text_of(path: Path) -> str:
    """Give the beginning of a text file; nothing when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MOST).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


def tree_of(path: Path) -> ast.Module:
    """Give a Python file's syntax tree; an empty one when it has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its style is not what was asked about
            return ast.parse(text_of(path))
    except UNREADABLE:
        return ast.Module(body=[], type_ignores=[])


def health_path(folder: Path) -> str:
    """Give the path by which the app says that it works, if its sources name one that is usual; "/" otherwise."""
    for path in _sources(folder):
        found = _HEALTH.search(text_of(path))
        if found:
            return f"/{found[1] or found[3]}{found[2] or found[4] or ''}"
    return "/"


def _sources(folder: Path) -> Iterator[Path]:
    return islice(_all_sources(folder), MOST_FILES)


def _all_sources(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _NOT_OURS and not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files) if Path(name).suffix in _SOURCES and name != _WRITTEN)
