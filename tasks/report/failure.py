"""A failure, as it is told at the end of a task: in fewer than forty rows, of which what to do next is never cut.

In this order: what failed and its last output, how the server's console ends, what was undone and what remains, what to
do next, how to log in to a server that was kept. Where there is no room for all of it, that is said. It may come from a
cloud or a server, so it is made safe to print. Refuses to know where it is printed.
"""

from __future__ import annotations

import textwrap

from tasks.errors import DeployError, SettingsError
from tasks.plain import plain

MOST_ROWS = 39
"""So many rows of a terminal a failure takes."""
_AFTERMATH = 10
_CONSOLE = 11
_CONSOLE_AT_LEAST = 5
_QUOTED = 3
"""So many rows a line of a program's output takes at most."""
_LEFT_OUT = "    … ({} more lines are left out)"


def told(error: DeployError, width: int | None = None) -> str:
    """Give the words of a failure.

    :param width: of the terminal, in columns; None where lines may be of any length.
    """
    problem = _rows(f"error: {error.problem}", width)
    after = _fitted(_rows(error.aftermath, width), _AFTERMATH)
    end = [*_rows(error.advice, width), *_login(error)]
    if isinstance(error, SettingsError):  # what is wrong with them is said all at once, and nothing else matters
        return "\n".join([*problem, *after, *end])
    room = MOST_ROWS - len(after) - len(end) - _overhang(error, width)
    console = _console(error, width, max(room - len(problem), _CONSOLE_AT_LEAST))
    return "\n".join([*_fitted(problem, room - len(console)), *console, *after, *end])


def _rows(text: str, width: int | None) -> list[str]:
    """Give a text as rows: sentences are wrapped at words, what is quoted (indented) wherever a row ends."""
    lines = plain(text).split("\n") if text else []
    return lines if width is None else [row for line in lines for row in _wrapped(line, max(width, 20))]


def _wrapped(line: str, width: int) -> list[str]:
    if not line.startswith(" "):
        return textwrap.wrap(line, width, break_on_hyphens=False) or [""]
    words = line.lstrip(" ")
    indent = " " * min(len(line) - len(words), width // 2)
    size = width - len(indent)
    pieces = [indent + words[start : start + size] for start in range(0, len(words), size)] or [""]
    return pieces if len(pieces) <= _QUOTED else [*pieces[: _QUOTED - 1], f"{pieces[_QUOTED - 1][:-1]}…"]


def _fitted(rows: list[str], most: int) -> list[str]:
    """Give so many rows at most: the first third and the last ones, since output matters most where it ends."""
    if len(rows) <= most:
        return rows
    most = max(most, 3)
    first = most // 3
    last = most - first - 1
    return [*rows[:first], _LEFT_OUT.format(len(rows) - first - last), *rows[-last:]]


def _console(error: DeployError, width: int | None, most: int) -> list[str]:
    """Give the end of the console under its heading."""
    heading, *rest = _rows(error.console, width) or [""]
    return [heading, *rest[-(min(most, _CONSOLE) - 1) :]] if heading else []


def _login(error: DeployError) -> list[str]:
    """Give the line that logs in, in one piece, since it is to be copied."""
    return [f"Log in: {plain(error.login)}"] if error.login else []


def _overhang(error: DeployError, width: int | None) -> int:
    """Give how many rows the line that logs in takes beyond its first."""
    return sum((len(line) - 1) // width for line in _login(error)) if width else 0
