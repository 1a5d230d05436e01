"""Child processes of an init: starting them, and reaping them together with the orphans it inherits.

Owns waitpid. Needs the event loop to be the main thread's. Refuses to know what the programs are for.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


class Child:
    """A program started by `Children.start`, in a session and process group of its own."""

    def __init__(self, process: subprocess.Popen[bytes], ended: asyncio.Future[int]) -> None:
        self.process = process
        self._ended = ended

    async def wait(self) -> int:
        """Give the exit status, or the negative number of the signal that ended it."""
        return await asyncio.shield(self._ended)

    def signal_group(self, number: int) -> None:
        """Send a signal to the program and those it started in its group, as far as they still run."""
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return


class Children:
    """All child processes of this one."""

    def __init__(self) -> None:
        self._ended: dict[int, tuple[subprocess.Popen[bytes], asyncio.Future[int]]] = {}
        self._changed = asyncio.Event()

    def watch(self) -> None:
        """Reap from now on."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self.reap)
        self.reap()

    def start(self, command: Sequence[str], **settings: Any) -> Child:
        """Start a program; `settings` are those of subprocess.Popen.

        :raises OSError: when it cannot be started.
        """
        process = subprocess.Popen(command, start_new_session=True, **settings)
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ended[process.pid] = (process, ended)
        return Child(process, ended)

    def reap(self) -> None:
        """Take note of every child that has ended."""
        for pid, status in _ended_children():
            if pid not in self._ended:
                continue
            process, ended = self._ended.pop(pid)
            process.returncode = status
            ended.set_result(status)
        self._changed.set()

    async def end_all(self, *, grace: float) -> None:
        """Send SIGTERM to every descendant, and SIGKILL to those that still run after `grace` seconds."""
        signal_descendants(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await self.none_left()
        except TimeoutError:
            await self.kill_all()

    async def kill_all(self) -> None:
        """Send SIGKILL to every descendant until none is left."""
        self.reap()
        while has_children():
            # What was forked while the processes were counted is found when the next one is reaped.
            signal_descendants(signal.SIGKILL)
            self._changed.clear()
            await self._changed.wait()

    async def none_left(self) -> None:
        """Wait until every child has ended."""
        self.reap()
        while has_children():
            self._changed.clear()
            await self._changed.wait()


def has_children() -> bool:
    """Whether this process has children, ended ones that are not reaped included."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def signal_descendants(number: int) -> None:
    """Send a signal to every process that comes from this one."""
    for pid in descendants(os.getpid()):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def descendants(ancestor: int) -> list[int]:
    """Give the processes that come from `ancestor`, nearest first."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents().items():
        children.setdefault(parent, []).append(pid)
    found: list[int] = list(children.get(ancestor, ()))
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def _parents() -> Mapping[int, int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(folder.name)] = int(after_name[1])
    return parents


def _ended_children() -> Iterator[tuple[int, int]]:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)
