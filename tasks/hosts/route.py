"""How bytes get to a private IP. Knows nothing of what is said over them."""

from __future__ import annotations

import socket
from typing import Any, Protocol


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
