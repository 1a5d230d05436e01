"""How much an API may answer, and how long its answer may take: one without end must neither fill memory nor hold us.

`timeout` of a request is for each read alone. Refuses to know what is asked, and of whom.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from keystoneauth1.session import TCPKeepAliveAdapter

from tasks.waiting import Clock, WallClock


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What an answer may take: bytes once unpacked, and seconds from its first byte on."""

    most: int = 64 * 1024 * 1024
    longest: float = 300.0


class BoundedAdapter(TCPKeepAliveAdapter):
    """The transport of a session whose answers have an end."""

    def __init__(self, *, bounds: Bounds, clock: Clock | None = None, **pools: Any) -> None:
        self._bounds = bounds
        self._clock = clock or WallClock()
        super().__init__(**pools)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request.

        :raises requests.ConnectionError: also, when its answer is read: it is too long.
        """
        response = super().send(*args, **kwargs)
        response.raw = _Reading(response.raw, self._bounds, self._clock)
        return response


class _Reading:
    """A body that is read by its bounds; in all else, what it was."""

    def __init__(self, raw: Any, bounds: Bounds, clock: Clock) -> None:
        self._raw = raw
        self._bounds = bounds
        self._clock = clock
        self._until = clock.now() + bounds.longest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, amount: int, **how: Any) -> Iterator[bytes]:
        """Give the body in pieces."""
        room = self._bounds.most
        for piece in self._raw.stream(amount, **how):
            room -= len(piece)
            if room < 0 or self._clock.now() > self._until:
                self._raw.close()
                raise requests.ConnectionError(errno.EMSGSIZE, "its answer has no end")
            yield piece
