"""How much memory a local cloud's servers take: what they share with others counts in parts (PSS)."""

from __future__ import annotations

from pathlib import Path

import psutil

MEGABYTE = 1e6


def of_servers(state_dir: Path) -> float:
    """Give the megabytes that all processes of a cloud take, save Envoy."""
    pids = [process for process in psutil.process_iter(["cmdline"]) if _is_daemon(process, state_dir)]
    [daemon] = pids
    return sum(_megabytes(process) for process in (daemon, *daemon.children(recursive=True)))


def _is_daemon(process: psutil.Process, state_dir: Path) -> bool:
    return ["tasks.localcloud.daemon", str(state_dir)] == (process.info["cmdline"] or [])[2:4]


def _megabytes(process: psutil.Process) -> float:
    try:
        return 0.0 if process.name() == "envoy" else process.memory_full_info().pss / MEGABYTE
    except psutil.NoSuchProcess:
        return 0.0
