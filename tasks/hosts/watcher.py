"""The operator's own command that says whether all is well: run on this machine, and ended with all that it started.

What it is told stands in its environment, never in its command line: names come from elsewhere. Refuses to know what is
watched for, and what a bad answer means.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, cast

from tasks.errors import Interrupted
from tasks.hosts.output import Lines
from tasks.plain import line, printable

_CHUNK = 64 * 1024
_SHOWN_LINES = 5
_LINE_LENGTH = 200
_NAME_LENGTH = 100
# How long what was killed may take to be gone, in seconds; only what runs as another user, or hides, takes so long.
_LAST_WORDS = 2.0


class CommandWatcher:
    """Runs a command line (a Watcher). Used by one thread at a time; `stop` and `close` may come from any.

    :param command: for `/bin/sh`, since it is the operator's own; empty when there is none.
    :param deadline: how long a run may take, in seconds.
    :param hide: takes out of what is told what must not be shown.
    """

    def __init__(self, command: str, deadline: float, *, hide: Callable[[str], str] = str) -> None:
        self._command = command
        self._deadline = deadline
        self._hide = hide
        self._name = f"`{line(hide(command), most=_NAME_LENGTH)}`"
        self._lock = threading.Lock()
        self._stopped = False
        self._running: subprocess.Popen[bytes] | None = None

    def probe(self, about: Mapping[str, str]) -> str:
        """Run it once; say what is wrong and how its output ends, "" when it exits 0 or there is no command.

        :param about: what is added to the operator's own environment for it.
        :raises Interrupted: it was told to stop.
        """
        if not self._command:
            return ""
        try:
            process = self._start(about)
        except (OSError, ValueError) as error:  # ValueError: a variable that no environment can hold
            return f"{self._name} could not be run: {error}"
        try:
            output = _Output(cast("IO[bytes]", process.stdout), self._hide)
            code = _exit_code(process, self._deadline)
        finally:
            self._end(process)
        output.await_end()
        self._refuse_when_stopped()
        return self._verdict(code, output)

    def stop(self) -> None:
        """End the run that is under way, as Interrupted, and allow none until `close`."""
        with self._lock:
            self._stopped = True
            if self._running:
                _kill(self._running)

    def close(self) -> None:
        """Allow runs again."""
        with self._lock:
            self._stopped = False

    def _start(self, about: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._lock:
            self._refuse_when_stopped()
            # A session of its own has no terminal: nothing in it can ask for a password and wait.
            self._running = subprocess.Popen(
                ["/bin/sh", "-c", self._command],
                env={**os.environ, **about},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            return self._running

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Kill whatever is left of it, its children too, and leave no zombie."""
        with self._lock:
            self._running = None
        _kill(process)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WORDS)

    def _refuse_when_stopped(self) -> None:
        if self._stopped:
            raise Interrupted(f"stopped: {self._name} is not run any more")

    def _verdict(self, code: int | None, output: _Output) -> str:
        if code == 0:
            return ""
        said = f"did not end within {self._deadline:g} s" if code is None else f"exited {code}"
        lines = output.last_lines
        return f"{self._name} {said}" + (f"; its last output:\n{lines}" if lines else ", without any output")


class _Output:
    """The end of what a process prints; read beside it, so that it never waits for a reader."""

    def __init__(self, stream: IO[bytes], hide: Callable[[str], str]) -> None:
        self._lines = Lines(lambda _: None, hide=hide)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def await_end(self) -> None:
        """Wait until all is read; not for long, since a process that has left the session may never close its end."""
        self._thread.join(_LAST_WORDS)

    @property
    def last_lines(self) -> str:
        """Give the last lines."""
        with self._lock:
            lines = [printable(text, _LINE_LENGTH) for text in self._lines.tail.splitlines() if text.strip()]
        return "\n".join(f"    {text}" for text in lines[-_SHOWN_LINES:])

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while content := os.read(stream.fileno(), _CHUNK):
                with self._lock:
                    self._lines.feed(content)
        with self._lock:
            self._lines.end()


def _exit_code(process: subprocess.Popen[bytes], deadline: float) -> int | None:
    """Give the code as a shell tells it, above 128 for death by a signal; None when it does not end in time."""
    try:
        code = process.wait(deadline)
    except subprocess.TimeoutExpired:
        return None
    return code if code >= 0 else 128 - code


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone already, or another user's
        os.killpg(process.pid, signal.SIGKILL)
