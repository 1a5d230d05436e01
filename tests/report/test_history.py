"""What was run on this machine."""

import io
import json
import os

from rich.console import Console

from tasks import operators
from tasks.report.history import NOTHING, as_json, print_json, show
from tasks.report.journals import read, runs
from tests.report.runs import Told, broken, deployed

GONE = operators.process().rpartition(":")[0] + ":1"  # this process id, but of one that was started at another time


def printed(*tolds, width=80):
    """Give what is shown of runs."""
    console = Console(file=io.StringIO(), width=width, no_color=True)
    show([told.run() for told in tolds], console)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_each_run_is_a_line():
    """When, which verb, to where, which release, how long and how it ended."""
    assert printed(deployed(), width=120)[:2] == [
        "When (UTC) Verb To Release Took Outcome",
        "2026-02-02 00:00 deploy shop/test r2 14.1 s done",
    ]


def test_an_outcome_is_told_in_the_words_of_the_exit_codes():
    """And with the exit code, for whoever looks it up."""
    assert printed(broken(), width=140)[1].endswith("new servers failed and were removed, nothing changed (exit 4)")


def test_it_fits_a_terminal_of_80_columns():
    """What is long is folded, and nothing is cut off."""
    console = Console(file=io.StringIO(), width=80, no_color=True)
    show([deployed().run(), broken().run()], console)

    table = console.file.getvalue().splitlines()[:-1]
    assert all(len(line) <= 80 for line in table)
    assert "…" not in "".join(table)


def test_nothing_is_said_in_a_sentence():
    """An empty table helps nobody."""
    assert printed(width=120) == [NOTHING]


def test_a_run_that_was_killed_is_called_so():
    """Its journal has no end, and its process is gone."""
    told = Told().begun()
    told.lines[0]["process"] = GONE
    told.asked(3.0)

    assert told.run().result == "killed"
    assert as_json(told.run())["exit_code"] is None


def test_a_run_that_is_at_work_is_not_called_killed():
    """Its process is there: this one."""
    told = Told().begun()
    told.lines[0]["process"] = operators.process()

    assert told.run().result == "at work, or killed"


def test_programs_get_the_same(capsys, tmp_path):
    """With the paths of the journal and, where there is one, of the report."""
    path = broken("no space left").write(tmp_path / "shop-test/20260202-000000-1/journal.jsonl")
    path.with_name("report.html").touch()
    print_json(runs(tmp_path))

    [run] = json.loads(capsys.readouterr().out)
    assert run == {
        "began": "2026-02-02T00:00:00Z",
        "verb": "deploy",
        "app": "shop",
        "environment": "test",
        "release": "r2",
        "generation": "20260202-000000-bb",
        "owner": "ops@laptop",
        "cloud": "local",
        "seconds": 9.6,
        "outcome": "failed",
        "exit_code": 4,
        "result": "new servers failed and were removed, nothing changed",
        "error": "test failed on shop-test-2: exited 1; its last output:\nno space left",
        "journal": str(path),
        "report": str(path.with_name("report.html")),
    }


def test_the_latest_run_comes_first_whatever_its_app(tmp_path):
    """Folders are named after the time."""
    for name in ("shop-test/20260203-000000-1", "blog-test/20260204-000000-1", "shop-test/20260201-000000-1"):
        deployed().write(tmp_path / name / "journal.jsonl")

    assert [run.path.parent.name[:8] for run in runs(tmp_path)] == ["20260204", "20260203", "20260201"]


def test_a_journal_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path):
    """Whoever wrote it was killed in the middle of a line."""
    path = deployed().write(tmp_path / "journal.jsonl")
    os.truncate(path, path.stat().st_size - 10)

    run = read(path)
    assert run
    assert run.outcome is None
    assert run.seconds == 14.0


def test_what_is_no_journal_of_a_run_is_passed_over(tmp_path):
    """Another schema, a file of something else, none at all."""
    later = Told().begun()
    later.lines[0]["schema"] = 2
    (tmp_path / "b").write_text('[1]\n{"event": 3}\nnonsense')

    assert [read(later.write(tmp_path / "a")), read(tmp_path / "b"), read(tmp_path / "c")] == [None, None, None]
