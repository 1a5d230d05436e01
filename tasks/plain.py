"""Text from elsewhere (a cloud, a server, git, a file), made safe to print and to log: bounded, nothing hidden in it.

A terminal obeys what it is sent: escape sequences move its cursor, write to its clipboard (OSC 52) or disguise links
(OSC 8), and characters that turn the direction of writing show another text than there is. Refuses to know whose text
it is and where it will be shown.
"""

from __future__ import annotations

import re
import unicodedata

MOST = 20_000
MOST_LINES = 200
LONGEST_LINE = 2000
"""In characters, as are all bounds here."""
_ORDINARY = re.compile(r"[^\n -~]")
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""Give a text in which every character can be seen but newlines: others are spelled out, such as \x1b or \u202e.

    Tabs become spaces.
    """
    return _ORDINARY.sub(lambda found: _spelled(found[0]), text.expandtabs())


def plain(text: str, *, most: int = MOST, lines: int = MOST_LINES) -> str:
    """Give a message of any number of lines as visible text, without colours, and say how much of it was cut off.

    :param most: so many of its characters are shown.
    :param lines: so many of its lines are shown.
    """
    kept = "\n".join(text[:most].split("\n")[:lines])
    shown = visible(_COLOURS.sub("", kept.replace("\r\n", "\n")))
    left = len(text) - len(kept)
    return f"{shown}… ({left:,} more characters)" if left else shown


def line(text: str, *, most: int = LONGEST_LINE) -> str:
    """Give a text as one visible line, and say how much of it was cut off."""
    return plain(" ".join(text.split()), most=most)


def printable(text: str, most: int = LONGEST_LINE) -> str:
    """Give a line of a program's output as it looked in the end: whole escape sequences and the unseen are left out.

    Programs that print colours and bars mean no harm; whoever reads their output wants to see the words.
    """
    # One that moved the cursor back to its start, as progress bars do, is shown as it looked in the end.
    shown = _ESCAPES.sub("", text[: most * 8]).rstrip("\r\n").rpartition("\r")[2].expandtabs()
    if not shown.isprintable():
        shown = "".join(char for char in shown if unicodedata.category(char) not in _UNSEEN)
    return shown if len(shown) <= most else shown[:most] + "…"


def _spelled(char: str) -> str:
    if char.isprintable():
        return char
    return " " if unicodedata.category(char) == "Zs" else ascii(char)[1:-1]
