"""Who runs this: the person and machine that a claim names, and whether the process behind a claim is still there."""

from __future__ import annotations

import getpass
import os
import re
import socket
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NAMED = re.compile(r"(?P<place>[^:]+:\d+):(?P<pid>\d{1,7}):(?P<started>\d+)", re.ASCII)
_GONE, _HIDDEN = "gone", "hidden"


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
    place = _place()
    return f"{place}:{os.getpid()}:{_started(os.getpid())}" if place else ""


def has_ended(named: str) -> bool:
    """Say whether a process that `process` has named is known to have ended; False when nobody can tell from here."""
    found = _NAMED.fullmatch(named)
    if not found or found["place"] != _place():
        return False
    return _started(int(found["pid"])) not in {found["started"], _HIDDEN}


def _place() -> str:
    """Give the boot and the PID namespace that process ids count in here; "" where they cannot be told."""
    try:
        if Path("/proc/self").readlink() != Path(str(os.getpid())):
            return ""  # /proc shows another PID namespace than ours
        namespace = Path("/proc/self/ns/pid").stat().st_ino
        return f"{BOOT_ID.read_text().strip()[:13]}:{namespace}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Give when a process has started, in the kernel's ticks; a zombie is gone."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _unseen(pid)
    return _GONE if after_name[0] == "Z" else after_name[19]


def _unseen(pid: int) -> str:
    """Tell a process that is not there from one that is not shown to us (/proc mounted with hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return _GONE
    except PermissionError:
        return _HIDDEN
    return _HIDDEN
