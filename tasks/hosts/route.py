"""How bytes get to a private IP and from there. Knows nothing of what is said over them."""

from __future__ import annotations

import io
import socket
from typing import Any, Protocol

from tasks.waiting import Clock


class Stream(Protocol):
    """A connection, as far as SSH and HTTP need it."""

    def close(self) -> None:
        """End it."""

    def sendall(self, data: bytes, /) -> object:
        """Send bytes."""

    @property
    def makefile(self) -> Any:
        """Give a function that, told "rb", gives a buffered file that reads from it."""


class Route(Protocol):
    """A way to private IPs."""

    def connect(self, address: str, port: int, timeout: float) -> Stream:
        """Open a connection; `timeout` is in seconds, for this and for each read.

        :raises ConnectionRefusedError: nothing listens there.
        :raises OSError: it did not come about otherwise.
        :raises HostError: the way there is barred: trying again is no use.
        """

    def close(self) -> None:
        """Give up what the way itself holds; a later connection opens it again."""


class Direct:
    """Straight from here: the operator's machine is in the servers' network (a Route)."""

    def connect(self, address: str, port: int, timeout: float) -> Stream:
        """Open a TCP connection."""
        return socket.create_connection((address, port), timeout)

    def close(self) -> None:
        """Hold nothing."""


class Hurried:
    """A Stream that is read from for `limit` seconds and no longer: one that drips for ever must not hold us.

    What is read after that raises OSError.
    """

    def __init__(self, stream: Stream, clock: Clock, limit: float) -> None:
        self._stream = stream
        self._clock = clock
        self._limit = limit

    def sendall(self, data: bytes) -> None:
        """Send bytes."""
        self._stream.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Give a file to read from; the time runs from now on."""
        return io.BufferedReader(_Reading(self._stream.makefile(mode), self._clock, self._limit))

    def close(self) -> None:
        """End it."""
        self._stream.close()


class _Reading(io.RawIOBase):
    def __init__(self, file: io.BufferedReader, clock: Clock, limit: float) -> None:
        self._file = file
        self._clock = clock
        self._limit = limit
        self._end = clock.now() + limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._clock.now() > self._end:
            raise OSError(f"it had not said all within {self._limit:g} s")
        content = self._file.read1(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        super().close()
        self._file.close()
