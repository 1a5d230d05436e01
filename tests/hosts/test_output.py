"""What a server prints, made fit to be shown."""

import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.hosts.output import Beginning, Lines
from tasks.plain import LONGEST_LINE, printable


def shown(*chunks: bytes) -> list[str]:
    """Give the lines of bytes that come in these pieces."""
    lines: list[str] = []
    taker = Lines(lines.append)
    for chunk in chunks:
        taker.feed(chunk)
    taker.end()
    return lines


@given(st.text(st.characters(exclude_categories=["C"])).map(str.encode), st.data())
def test_pieces_do_not_matter(content, data):
    """Lines are the same however the network cuts them, also within a character."""
    cut = data.draw(st.integers(0, len(content)))

    assert shown(content[:cut], content[cut:]) == shown(content)


@given(st.binary())
def test_nothing_shown_moves_a_cursor(content):
    """Whatever bytes a server sends, no line holds a control character or is longer than what is bearable."""
    for line in shown(content):
        assert not {unicodedata.category(char) for char in line} & {"Cc", "Cf"}
        assert len(line) <= LONGEST_LINE + 1


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bplain\x1b=", "plain"),
        ("50%\r100%\r\n", "100%"),
        ("a\tb", "a       b"),
        ("bell\x07 null\x00 reversed\u202e", "bell null reversed"),
        ("Grüße ✓", "Grüße ✓"),
    ],
)
def test_escape_sequences(raw, line):
    """Escape sequences go, what they surround stays."""
    assert printable(raw) == line


def test_an_endless_line_is_cut():
    """A line without end is given in bounded pieces, so that it fills no memory."""
    lines = shown(*[b"x" * 1000] * 100)

    assert len(lines) > 1
    assert max(map(len, lines)) == LONGEST_LINE + 1


def test_the_tail_is_the_last_twenty_lines():
    """The last twenty lines are kept for the error."""
    taker = Lines(lambda _: None)
    taker.feed("".join(f"{number}\n" for number in range(100)).encode())

    assert taker.tail.splitlines() == [str(number) for number in range(80, 100)]


@pytest.mark.parametrize("printed", [b"hunter22", b"hun\x1b[31mter22", b"hun\x00ter22", b"hunter\xe2\x80\x8b22"])
def test_a_secret_is_hidden_however_it_is_coloured(printed):
    """Escape sequences and invisible characters within a secret do not keep it from being recognised."""
    lines: list[str] = []
    taker = Lines(lines.append, hide=lambda text: text.replace("hunter22", "[hidden]"))
    taker.feed(b"password=" + printed + b"\n")

    assert lines == ["password=[hidden]"]
    assert taker.tail == "password=[hidden]"


def test_an_answer_without_end_fills_no_memory():
    """Of an answer that we ask a server for, the beginning is kept, in whole lines; the rest is let go."""
    answer = Beginning(most=100)
    for number in range(10_000):
        answer(f"line {number}")

    assert answer.text.splitlines() == [f"line {number}" for number in range(13)]


def test_much_output_fills_no_memory():
    """However much a server prints, in lines or without end, what is held of it stays below a megabyte."""
    taker = Lines(lambda _: None)
    for chunk in (b"a line of what it does now\n" * 2000, b"x" * 60_000):
        tracemalloc.start()
        for _ in range(100):
            taker.feed(chunk)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 1_000_000
