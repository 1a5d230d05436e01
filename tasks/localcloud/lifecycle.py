"""Starting and ending a local cloud from outside, and saying whether one runs. The daemon itself is `daemon.py`."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tasks.localcloud.locks import exclusive, holder
from tasks.localcloud.options import START_SECONDS, Options
from tasks.localcloud.state import Access, StateDirectory

END_SECONDS = 20.0
_PROJECT = Path(__file__).resolve().parents[2]


class StartFailed(Exception):
    """The local cloud did not come up; the text has the reason and the last lines of its log."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """A running cloud. `already` says that it was running before."""

    access: Access
    already: bool


def up(state: StateDirectory, options: Options) -> Started:
    """Start the cloud of a state directory, unless it runs; returns when it answers.

    Two of these at the same time start one cloud: the second waits for the first, and finds it running.

    :raises StartFailed: it did not answer within 30 seconds, or gave up.
    :raises ForeignDirectory: the directory holds something else.
    """
    with exclusive(state.path) as turn:
        state.claim()
        if holder(state.lock) is not None:
            return Started(access=state.access(), already=True)
        state.clear()
        _start(state, options, turn)
        return Started(access=state.access(), already=False)


class Found(StrEnum):
    """What `down` came upon, and ended or removed."""

    RUNNING = "running"
    REMAINS = "remains"
    NOTHING = "nothing"


def down(state: StateDirectory) -> Found:
    """End the cloud of a state directory and remove the directory; also what a killed one has left behind.

    Once more does no harm.

    :raises ForeignDirectory: the directory holds something else.
    :raises OSError: something could not be removed.
    """
    if not state.path.exists():
        return Found.NOTHING
    with exclusive(state.path):
        running = _end(state)
        state.remove()
    return Found.RUNNING if running else Found.REMAINS


def status(state: StateDirectory) -> dict[str, Any]:
    """Describe the cloud of a state directory, for `status --json`; null values when it does not run."""
    running = holder(state.lock) is not None and state.record.exists()
    access = state.access() if running else None
    return {
        "running": access is not None,
        "state_dir": str(state.path),
        "clouds_yaml": str(state.clouds_yaml) if access else None,
        "auth_url_v2": access.auth_url_v2 if access else None,
        "auth_url_v3": access.auth_url_v3 if access else None,
        "region": access.region if access else None,
        "username": access.username if access else None,
        "api_key": access.api_key if access else None,
        "password": access.password if access else None,
        "project": access.project if access else None,
        "control_url": access.control_url if access else None,
        "control_token": access.control_token if access else None,
    }


def _start(state: StateDirectory, options: Options, turn: int) -> None:
    """Start the daemon and wait for its word.

    It inherits our `turn`, the lock on the directory, until it has come up: should we be killed meanwhile, the next
    one still waits for the outcome instead of starting a second daemon.
    """
    reading, writing = os.pipe()
    command = [
        sys.executable,
        "-m",
        "tasks.localcloud.daemon",
        *map(str, (state.path, writing, turn)),
        options.to_json(),
    ]
    log = os.open(state.daemon_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        daemon = subprocess.Popen(
            command,
            cwd=_PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writing, turn],
            start_new_session=True,
        )
    finally:
        os.close(writing)
        os.close(log)
    try:
        with os.fdopen(reading, "rb") as pipe:
            _check(_first_line(pipe.fileno()), state)
    except BaseException:  # Ctrl-C included: what we have started must not stay behind half-way
        daemon.kill()
        daemon.wait()
        raise


def _first_line(descriptor: int) -> bytes:
    """Read one line from the daemon; what there is of it when the pipe closes or the time is up."""
    deadline = time.monotonic() + START_SECONDS
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(descriptor, 65536) if readable else b""
        if not chunk:
            break
        line += chunk
    return line


def _check(line: bytes, state: StateDirectory) -> None:
    """Make sense of what the daemon said about its start.

    :raises StartFailed: anything but success.
    """
    if not line.endswith(b"\n"):
        reason = f"it ended, or said nothing within {START_SECONDS:g} s"
    else:
        reason = json.loads(line).get("failed", "")
    if reason:
        last_lines = "\n".join(f"    {text}" for text in tail(state.daemon_log, 15))
        raise StartFailed(f"the local cloud did not start: {reason}\nlast lines of its log:\n{last_lines}")


def tail(path: Path, lines: int) -> list[str]:
    """Give the last lines of a log; none when it does not exist."""
    try:
        return path.read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def _end(state: StateDirectory) -> bool:
    """End the daemon, in order if it can; gives whether there was one."""
    pid = holder(state.lock)
    if pid is None:
        return False
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        # The PID was read before the descriptor was opened: it could be another process's by now.
        if holder(state.lock) == pid:
            _signal_and_wait(process)
    finally:
        os.close(process)
    return True


def _signal_and_wait(process: int) -> None:
    for number, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, END_SECONDS)):
        try:
            signal.pidfd_send_signal(process, number)
        except ProcessLookupError:
            return
        if select.select([process], [], [], seconds)[0]:
            return
