"""The report as a file."""

import stat
import tomllib
from pathlib import Path

import pytest

from tasks.errors import SettingsError
from tasks.report.history import latest, report_of
from tasks.report.html.writing import write
from tests.report.runs import broken, deployed


def test_it_is_written_beside_its_journal_for_its_owner_only(tmp_path):
    """Names and output of servers are nobody else's business; no half-written file is left."""
    path = write(deployed().write(tmp_path / "journal.jsonl"))

    assert path == tmp_path / "report.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["journal.jsonl", "report.html"]


def test_it_can_be_made_again(tmp_path):
    """The journal is all that it is made of."""
    journal = deployed().write(tmp_path / "journal.jsonl")
    first = write(journal).read_text()
    write(journal)

    assert (tmp_path / "report.html").read_text() == first


def test_without_a_journal_there_is_none(tmp_path):
    """And no empty page either."""
    with pytest.raises(ValueError, match="no journal"):
        write(tmp_path / "journal.jsonl")

    assert list(tmp_path.iterdir()) == []


def test_the_latest_one_is_made_when_it_is_missing(tmp_path):
    """A deploy that was killed has written none; asked for, it is there."""
    deployed().write(tmp_path / "shop-test/20260201-000000-1/journal.jsonl")
    journal = broken().write(tmp_path / "shop-test/20260202-000000-1/journal.jsonl")
    path = report_of(latest(tmp_path, 20))

    assert path == journal.with_name("report.html")
    assert "Look at its log." in path.read_text()


def test_where_nothing_was_run_there_is_none(tmp_path):
    """That is a mistake of whoever asks, and says what to do."""
    with pytest.raises(SettingsError, match="fab deploy"):
        report_of(latest(tmp_path, 20))


def test_its_style_sheet_is_installed_with_it():
    """An installed copy has whatever of the page is no Python, as a checkout does."""
    root = Path(__file__).parents[3]
    listed = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    there = [path for path in (root / "tasks/report/html").iterdir() if path.suffix not in {".py", ""}]

    assert there
    assert all(any(path.match(pattern) for pattern in listed["tasks.report.html"]) for path in there)
