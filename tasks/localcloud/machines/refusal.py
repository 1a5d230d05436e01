"""What an operator is told where servers are plain processes: why, what that means, and what would change it."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.localcloud.machines import landlock

_UBUNTU_SWITCH = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


def explain(cause: str) -> str:
    """Word the warning; `cause` completes the sentence "Servers are plain processes, since …"."""
    return (
        f"Servers are plain processes with a folder each, since {cause}: they take neither user data nor injected "
        f"files in /etc, and {_hold()}.{_way_out()}"
    )


def _hold() -> str:
    if landlock.version():
        return "Landlock keeps what they run from writing elsewhere"
    if os.getuid() == 0:
        return "none will boot as root, since this kernel has no Landlock to keep them from changing the machine"
    return "nothing keeps their scripts from writing to your own files, since this kernel has no Landlock"


def _way_out() -> str:
    if _UBUNTU_SWITCH.exists() and _UBUNTU_SWITCH.read_text().strip() == "1":
        return " `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0` allows namespaces here."
    return ""
