"""What a server says, made fit to be shown: whole lines, bounded, without control characters. Knows no SSH."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import deque
from collections.abc import Callable

LONGEST_LINE = 2000
TAIL_LINES = 20
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")


def printable(text: str, limit: int = LONGEST_LINE) -> str:
    """Give one line without escape sequences and control characters, at most `limit` characters long."""
    # One that moved the cursor back to its start, as progress bars do, is shown as it looked in the end.
    line = _ESCAPES.sub("", text[: limit * 8]).rstrip("\r\n").rpartition("\r")[2].expandtabs()
    line = "".join(char for char in line if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return line if len(line) <= limit else line[:limit] + "…"


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
        shown = printable(self._hide(line))
        self._last.append(shown)
        self._on_line(shown)
