"""The line that logs in to a server with plain `ssh`, as a deploy does: with its key, and with the keys it verified."""

from __future__ import annotations

import shlex
from pathlib import Path

from tasks.hosts.access import SshAccess


def ssh_line(access: SshAccess, known_hosts: Path, address: str) -> str:
    """Give the command for a shell."""
    # In the value of an option ssh divides at spaces as well (ssh_config(5)).
    options = {"UserKnownHostsFile": f'"{_literal(known_hosts)}"', "StrictHostKeyChecking": "yes"}
    key = ["-i", _literal(access.key_file), "-o", "IdentitiesOnly=yes"] if access.key_file else []
    jump = ["-J", str(access.gateway)] if access.gateway else []
    settled = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return shlex.join(["ssh", *key, *settled, *jump, "-p", str(access.port), "--", f"{access.user}@{address}"])


def _literal(path: Path) -> str:
    """Write a path in which ssh replaces nothing (ssh_config(5), tokens)."""
    return str(path).replace("%", "%%")
