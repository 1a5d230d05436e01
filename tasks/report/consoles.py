"""Where output goes: a terminal with colours, or plain lines in CI and pipes. `NO_COLOR` is respected.

Much of what is printed comes from elsewhere: names from a cloud, lines from a server, labels from git. So markup is
obeyed only where it is asked for, and nothing that is printed can move the cursor, whoever forgot to look at it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from tasks.plain import visible

PLAIN_WIDTH = 200


class SafeConsole(Console):
    """A console that shows text and obeys none of it: only its own colours and moving lines control the terminal."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, with every control character in a text spelled out."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def terminal() -> Console:
    """Give the console for standard output. In CI it is not taken for a terminal, whatever it says of itself."""
    return _console(sys.stdout)


def aside() -> Console:
    """Give the console for what is said beside an answer: standard error."""
    return _console(sys.stderr)


def _console(file: TextIO) -> Console:
    if os.environ.get("CI") or not file.isatty():
        return SafeConsole(
            file=file, soft_wrap=True, width=PLAIN_WIDTH, force_terminal=False, no_color=True, markup=False
        )
    return SafeConsole(file=file, markup=False)
