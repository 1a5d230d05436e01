"""The console log: what a booting server says there, and how it is read.

The host keys are shown the way cloud-init shows them (cloud-init, `tools/write-ssh-key-fingerprints`).
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncssh import SSHKey

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\t\n\x20-\x7e\x80-\U0010ffff]|[\x80-\x9f]")


def read(file: Path, lines: int | None = None) -> str:
    """Give the log, or its last `lines` lines, without control characters other than tab and line end.

    A server that has not printed anything yet has an empty log.
    """
    if not file.exists():
        return ""
    text = _CONTROL.sub("", file.read_text(errors="replace"))
    if lines is None:
        return text
    return "".join(text.splitlines(keepends=True)[-lines:]) if lines > 0 else ""


def say(text: str) -> None:
    """Print a line of the boot log, stamped as the kernel does; the console is this process's standard error."""
    sys.stderr.write(f"[{time.monotonic():12.6f}] {text}\n")
    sys.stderr.flush()


def collect(device: Path) -> None:
    """Add to the log what programs write to /dev/console, a named pipe, as long as the event loop runs."""
    pipe = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def copy() -> None:
        sys.stderr.buffer.write(os.read(pipe, 65536))
        sys.stderr.flush()

    asyncio.get_running_loop().add_reader(pipe, copy)


def show_host_keys(keys: Sequence[SSHKey]) -> None:
    """Print the fingerprints, as logger does, and then the public keys."""
    border = "#" * 61
    fingerprints = [_fingerprint(key) for key in keys]
    stamp = f"<14>{datetime.now(UTC):%b %e %H:%M:%S} cloud-init: "
    for line in (
        border,
        "-----BEGIN SSH HOST KEY FINGERPRINTS-----",
        *fingerprints,
        "-----END SSH HOST KEY FINGERPRINTS-----",
        border,
    ):
        sys.stderr.write(f"{stamp}{line}\n")
    sys.stderr.write("-----BEGIN SSH HOST KEY KEYS-----\n")
    for key in keys:
        sys.stderr.write(key.export_public_key().decode().strip() + "\n")
    sys.stderr.write("-----END SSH HOST KEY KEYS-----\n")
    sys.stderr.flush()


def _fingerprint(key: SSHKey) -> str:
    name = {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA"}.get(key.get_algorithm(), "ECDSA")
    bits = getattr(key.pyca_key, "key_size", 256)
    return f"{bits} {key.get_fingerprint()} {key.get_comment() or 'no comment'} ({name})"
