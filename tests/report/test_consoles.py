"""The console that everything is printed on."""

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from tasks.report.consoles import SafeConsole, aside, terminal


def printed(*things, **options):
    """Give what is written to a terminal."""
    console = SafeConsole(file=io.StringIO(), force_terminal=True, color_system=None, width=80, markup=False)
    console.print(*things, **options)
    return console.file.getvalue()


@given(st.text(st.characters(exclude_categories=[])))
def test_no_text_controls_the_terminal(text):
    """Whatever is printed, in a line or in a table, no control character but the end of a line is written."""
    table = Table()
    table.add_row(text, style="bold")

    for shown in (printed(text), printed(table)):
        assert not {unicodedata.category(char) for char in shown.replace("\n", "")} & {"Cc", "Cf", "Cs"}


def test_what_was_hidden_is_seen():
    """An escape sequence is printed as what it is."""
    assert printed("web\x1b[2J") == "web\\x1b[2J\n"


def test_markup_has_to_be_asked_for():
    """Text that looks like markup is text, unless whoever prints it says otherwise."""
    assert printed("[link=http://evil]web[/link]") == "[link=http://evil]web[/link]\n"
    assert printed("[bold]web[/]", markup=True) == "web\n"


def test_its_own_colours_and_moving_lines_stay():
    """Only what text says is taken from it: styles and spinners still control the terminal."""
    console = SafeConsole(file=io.StringIO(), force_terminal=True, color_system="standard", width=80, markup=False)
    console.print("fine", style="green")
    with console.status("working"):
        pass

    assert "\x1b[32mfine\x1b[0m" in console.file.getvalue()
    assert "\x1b[?25l" in console.file.getvalue()


@pytest.mark.parametrize("ci", ["", "1"])
def test_standard_output_is_such_a_console(monkeypatch, ci):
    """In a terminal and in CI alike."""
    monkeypatch.setenv("CI", ci)

    assert isinstance(terminal(), SafeConsole)


def test_what_is_said_aside_leaves_standard_output_alone(capsys):
    """The answer of a task may be JSON for a program: notes on the way go to standard error, and as safely."""
    aside().print("a note\x1b[2J")
    written = capsys.readouterr()

    assert (written.out, written.err) == ("", "a note\\x1b[2J\n")
