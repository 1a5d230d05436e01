"""What a local cloud may have left behind on this machine: processes, mounts, files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil


def leftovers(folder: Path) -> list[str]:
    """Give everything that still belongs to the cloud of a state folder; empty after `local.down`."""
    return [*_processes(str(folder)), *_mounts(str(folder)), *_files(folder)]


def _processes(folder: str) -> Iterator[str]:
    for process in psutil.process_iter():
        try:
            known_by = [*process.cmdline(), *process.environ().values()]
        except (psutil.Error, OSError):
            continue  # it has just ended, or is somebody else's
        if process.pid != os.getpid() and any(folder in text for text in known_by):
            yield f"process {process.pid}: {' '.join(process.cmdline())}"


def _mounts(folder: str) -> Iterator[str]:
    for line in Path("/proc/mounts").read_text().splitlines():
        if folder in line:
            yield f"mount {line}"


def _files(folder: Path) -> Iterator[str]:
    """Give the cloud's own files; keys and records of deploys are the operator's, and stay."""
    for path in (folder / "disposable-servers" / "local-cloud").rglob("*"):
        yield f"file {path}"
