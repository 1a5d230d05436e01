"""What a server says, line by line: whole lines, bounded, fit to be shown. Knows no SSH."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Callable

from tasks.plain import LONGEST_LINE, printable

TAIL_LINES = 20
MOST_ANSWER = 4_000_000
"""In characters: some 25,000 connections in the kernel's tables."""


class Beginning:
    """Keeps the first lines that it is given, as many as fit; what a server says after them fills no memory."""

    def __init__(self, most: int = MOST_ANSWER) -> None:
        self._room = most
        self._lines: list[str] = []

    def __call__(self, line: str) -> None:
        """Take a line."""
        self._room -= len(line) + 1
        if self._room >= 0:
            self._lines.append(line)

    @property
    def text(self) -> str:
        """Give the lines."""
        return "\n".join(self._lines)


class Lines:
    """Takes bytes as they come and gives whole printable lines to `on_line`; keeps the last ones.

    :param hide: takes out of a line what must not be shown.
    """

    def __init__(self, on_line: Callable[[str], None], *, hide: Callable[[str], str] = str) -> None:
        self._on_line = on_line
        self._hide = hide
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""
        self._last: deque[str] = deque(maxlen=TAIL_LINES)

    @property
    def tail(self) -> str:
        """Give the last lines."""
        return "\n".join(self._last)

    def feed(self, content: bytes) -> None:
        """Take the next bytes."""
        *lines, self._pending = (self._pending + self._decoder.decode(content)).split("\n")
        for line in lines:
            self._give(line)
        if len(self._pending) > LONGEST_LINE * 8:
            self._give(self._pending)
            self._pending = ""

    def end(self) -> None:
        """Give the last line, if it did not end with a newline."""
        rest = self._pending + self._decoder.decode(b"", final=True)
        self._pending = ""
        if rest:
            self._give(rest)

    def _give(self, line: str) -> None:
        # Again afterwards: an escape sequence within a secret would keep it from being recognised.
        shown = self._hide(printable(self._hide(line)))
        self._last.append(shown)
        self._on_line(shown)
