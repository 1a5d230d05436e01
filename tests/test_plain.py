"""Text from elsewhere, made safe to print."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.plain import LONGEST_LINE, line, plain, printable, visible

ANYTHING = st.text(st.characters(exclude_categories=[]))
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(ANYTHING)
def test_nothing_is_hidden_from_the_eye(text):
    """Whatever a text holds, all of what is shown can be seen, and can be written to a terminal that speaks UTF-8."""
    for shown in (visible(text), plain(text), line(text)):
        assert not {unicodedata.category(char) for char in shown.replace("\n", "")} & UNSEEN
        assert shown.encode().decode() == shown


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_ordinary_text_stays_as_it_is(text):
    """What has nothing to hide is shown as it is."""
    assert visible(text) == plain(text) == text


@given(ANYTHING, st.integers(1, 50))
def test_a_line_is_one_line_and_bounded(text, most):
    """A line has no end of a line in it, and no more characters than asked for, however each of them is spelled."""
    shown = line(text, most=most)

    assert "\n" not in shown
    assert len(shown) <= most * len(r"\U0010ffff") + len("… (1,000,000 more characters)")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("web-1\x1b[2J\x1b[H", r"web-1\x1b[2J\x1b[H"),
        ("\x1b]52;c;cm0gLXJmIC8=\x07", r"\x1b]52;c;cm0gLXJmIC8=\x07"),
        ("\x1b]8;;http://evil\x1b\\fine\x1b]8;;\x1b\\", r"\x1b]8;;http://evil\x1b\fine\x1b]8;;\x1b" + "\\"),
        ("\x9b31mC1", r"\x9b31mC1"),
        ("abc\u202ecod.exe", r"abc\u202ecod.exe"),
        ("\ud800 half a pair", r"\ud800 half a pair"),
        ("safe\rrm -rf", r"safe\rrm -rf"),
        ("line\u2028break", r"line\u2028break"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("dos\r\nends", "dos\nends"),
        ("a\tb", "a       b"),
        ("10\u00a0s", "10 s"),
        ("Grüße ✓ 日本", "Grüße ✓ 日本"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(raw, shown):
    """Escape sequences and invisible characters are told, not obeyed; colours go; words of any language stay."""
    assert plain(raw) == shown


def test_what_is_cut_off_is_counted():
    """A long text is cut at its characters or at its lines, and says how much more there was."""
    assert plain("x" * 1100, most=100) == "x" * 100 + "… (1,000 more characters)"
    assert plain("a\nb\nc\nd", lines=2) == "a\nb… (4 more characters)"


def test_a_line_keeps_its_words():
    """What came on several lines is on one, with single spaces between."""
    assert line(" two\n  lines\u2028 and\x1f more ") == "two lines and more"


@given(ANYTHING)
def test_a_line_of_output_moves_no_cursor(text):
    """A line of a program's output holds no control character and is no longer than what is bearable."""
    shown = printable(text)

    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs"}
    assert len(shown) <= LONGEST_LINE + 1
