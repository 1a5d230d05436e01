"""What `fab doctor` prints."""

import io
import json

from rich.console import Console

from tasks.findings import Finding, fine, wrong
from tasks.report.findings import as_json, print_json, show

FOUND = [
    fine("image", "Debian 12 (image-1)"),
    wrong("flavor", "there is no flavor 'smal'", "did you mean 'small'? set `server.flavor`"),
    Finding(what="interrupted deploy", ok=True, seen="ada's", remedy="`fab abort` undoes it now"),
]


def printed(found, width=80):
    """Give the lines of a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=width, markup=False)
    show(found, console)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_each_line_says_ok_or_not_and_what_mends_it():
    """What mends something stands below it; a choice that one has is told too."""
    assert printed(FOUND) == [
        "ok      image               Debian 12 (image-1)",
        "not ok  flavor              there is no flavor 'smal'",
        "                            → did you mean 'small'? set `server.flavor`",
        "ok      interrupted deploy  ada's",
        "                            → `fab abort` undoes it now",
    ]


def test_where_all_is_well_that_is_said():
    """The last line says what one can do now."""
    assert printed(FOUND[:1]) == ["ok  image  Debian 12 (image-1)", "", "All is well: `fab deploy` can go ahead."]


def test_long_lines_stay_in_their_column():
    """In 80 columns nothing is cut off, and what is ok can be found at the left."""
    shown = printed([wrong("keypair", "word " * 40, "mend " * 30)])

    assert shown[0].startswith("not ok  keypair  word")
    assert all(line.startswith(" " * 17) for line in shown[1:])
    assert " ".join(shown).count("word") == 40
    assert max(map(len, shown)) <= 80


def test_markup_from_elsewhere_is_text():
    """An image may be called what it likes."""
    assert "[red]Debian[/red]" in printed([fine("image", "[red]Debian[/red]")])[0]


def test_the_json_says_the_same(capsys):
    """`ok` is that of all; `remedy` is null where there is none."""
    print_json(FOUND)
    told = json.loads(capsys.readouterr().out)

    assert told == as_json(FOUND)
    assert told["ok"] is False
    assert told["findings"][0] == {"what": "image", "ok": True, "seen": "Debian 12 (image-1)", "remedy": None}
    assert told["findings"][1]["remedy"] == "did you mean 'small'? set `server.flavor`"
    assert as_json(FOUND[:1])["ok"] is True
