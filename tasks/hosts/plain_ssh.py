"""The line that logs in to a server with plain `ssh`, as a deploy does: with its key, and with the keys it verified."""

from __future__ import annotations

import shlex
from pathlib import Path

from tasks.hosts.access import SshAccess


def ssh_line(access: SshAccess, known_hosts: Path, address: str) -> str:
    """Give the command for a shell."""
    options = {"UserKnownHostsFile": str(known_hosts), "StrictHostKeyChecking": "yes"}
    key = ["-i", str(access.key_file), "-o", "IdentitiesOnly=yes"] if access.key_file else []
    jump = ["-J", str(access.gateway)] if access.gateway else []
    settled = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return shlex.join(["ssh", *key, *settled, *jump, "-p", str(access.port), f"{access.user}@{address}"])
