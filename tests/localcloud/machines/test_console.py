"""Reading a console log."""

import pytest

from tasks.localcloud.machines import console


def test_no_log_yet_is_empty(tmp_path):
    """A server that has printed nothing has an empty console."""
    assert console.read(tmp_path / "console.log") == ""


def test_control_characters_are_removed(tmp_path):
    """Colours, carriage returns and bells are gone; tabs, line ends and letters of all alphabets stay."""
    (tmp_path / "console.log").write_bytes("\x1b[1;31mred\x1b[0m\ta\x07\r\nGrüße \x9b\xff\n".encode())

    assert console.read(tmp_path / "console.log") == "red\ta\nGrüße ÿ\n"


def test_bytes_that_are_no_text_do_not_matter(tmp_path):
    """A program may print anything."""
    (tmp_path / "console.log").write_bytes(b"a\xff\xfeb\n")

    assert console.read(tmp_path / "console.log") == "a\ufffd\ufffdb\n"


@pytest.mark.parametrize(("lines", "seen"), [(0, ""), (1, "c\n"), (2, "b\nc\n"), (9, "a\nb\nc\n"), (None, "a\nb\nc\n")])
def test_last_lines(tmp_path, lines, seen):
    """`lines` counts from the end (Nova's os-getConsoleOutput, length)."""
    (tmp_path / "console.log").write_text("a\nb\nc\n")

    assert console.read(tmp_path / "console.log", lines) == seen
