"""Who runs this: the person and machine that a claim names, and whether the process behind a claim is still there."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def owner() -> str:
    """Give user@host, for people."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def process() -> str:
    """Name this process, so that another one on this machine can find out that it has ended; "" where it can not.

    A boot and a PID namespace belong to it: two containers of one machine must not take each other's for dead.
    """
    return _named(os.getpid())


def has_ended(named: str) -> bool:
    """Say whether a process that `process` has named is known to have ended; False when nobody can tell from here."""
    pid = named.rpartition(":")[0].rpartition(":")[2]
    if not pid.isdigit() or named.rsplit(":", 2)[0] != process().rsplit(":", 2)[0]:
        return False
    return _named(int(pid)) != named


def _named(pid: int) -> str:
    try:
        boot = BOOT_ID.read_text().strip()[:13]
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return ""
    return f"{boot}:{namespace}:{pid}:{_started(pid)}"


def _started(pid: int) -> str:
    """Give when a process has started, in the kernel's ticks; "-" when it is not there or has ended as a zombie."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "-"
    return "-" if after_name[0] == "Z" else after_name[19]
