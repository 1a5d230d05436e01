"""A verb on record: whatever becomes of it, its beginning, its end and a report are there afterwards."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from tasks.errors import HostError, Interrupted
from tasks.recording import recorded
from tasks.report.history import as_json
from tasks.report.journals import read
from tasks.report.progress import Progress
from tasks.report.summary import Records
from tasks.rollout import deploying
from tasks.rollout.journal import Journal
from tasks.settings import Settings
from tasks.wiring import Opened
from tests.rollout.builders import goal
from tests.simulation.world import World

SETTINGS = Settings(server={"image": "debian", "flavor": "small"}, listeners=({"name": "http", "port": 80},))


@pytest.fixture
def opened(tmp_path):
    """Give a site in a simulated cloud, on record in a folder."""
    journal = Journal(tmp_path / "shop-test/20260101-000000-1/journal.jsonl")
    site = replace(World().site(), listen=journal)
    console = Console(file=io.StringIO(), width=200)
    records = Records(journal=journal.path, known_hosts=tmp_path / "known_hosts", ssh=str)
    progress = Progress(console, site.clock, prefix="shop-test-")
    return Opened(settings=SETTINGS, site=site, console=console, progress=progress, records=records)


def lines(opened):
    """Read the journal."""
    return [json.loads(line) for line in opened.records.journal.read_text().splitlines()]


def test_a_deploy_is_on_record_from_its_beginning_to_its_end(opened):
    """The first line says what was begun and by whom, the last one how it ended; the report is beside them."""
    with recorded("deploy", goal(), opened):
        deploying.deploy(goal(), opened.site)

    first, *_, last = lines(opened)
    assert (first["event"], first["verb"], first["release"], first["cloud"]) == ("begun", "deploy", "r2", "local")
    assert first["owner"] == opened.site.operator.owner
    assert first["settings"]["server"]["image"] == "debian"
    assert (last["event"], last["outcome"], last["exit_code"]) == ("ended", "done", 0)
    assert "Deploy of shop to test" in opened.records.journal.with_name("report.html").read_text()


def test_its_journal_tells_the_same_story_as_its_report(opened):
    """Servers boot, are set up and serve, each on its lane; the run is found in the history."""
    with recorded("deploy", goal(), opened):
        deploying.deploy(goal(), opened.site)

    run = read(opened.records.journal)
    page = run.report.read_text()
    assert as_json(run)["result"] == "done"
    assert page.count('class="bar set-up done"') == 2
    assert "rotation begins" in page


@pytest.mark.parametrize(
    ("failure", "exit_code", "outcome"),
    [
        (HostError("no space left", server="shop-1"), 4, "failed"),
        (Interrupted("stopped by Ctrl-C or SIGTERM"), 4, "failed"),
        (KeyboardInterrupt(), 7, "unfinished"),
        (KeyError("slot"), 1, "bug"),
    ],
)
def test_a_failure_is_on_record_and_goes_on_its_way(opened, failure, exit_code, outcome):
    """Nothing is swallowed; the operator is told where the report is."""
    with pytest.raises(type(failure)), recorded("deploy", goal(), opened):
        raise failure

    assert (lines(opened)[-1]["outcome"], lines(opened)[-1]["exit_code"]) == (outcome, exit_code)
    assert f"The report of this is {opened.records.journal.with_name('report.html')}" in opened.console.file.getvalue()


def test_a_folder_that_can_not_be_written_fails_nothing(opened, tmp_path):
    """The record is for people, and the deploy is done all the same; that there is none is said."""
    (tmp_path / "full").touch()
    journal = Journal(tmp_path / "full" / "journal.jsonl")
    records = replace(opened.records, journal=journal.path)
    there = replace(opened, records=records, site=replace(opened.site, listen=journal))
    with recorded("deploy", goal(), there):
        deploying.deploy(goal(), there.site)

    assert "The report could not be written" in there.console.file.getvalue()
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_who_can_log_in_is_told_how_and_no_secret_is_on_record(opened, monkeypatch):
    """The line for the server that was kept is on the failure; what the app printed on its console is masked."""
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    failure = HostError("no space left", server="shop-1")
    failure.kept, failure.console = "10.0.2.1", "The console of shop-1 ends:\n    API_KEY=hunter2-hunter2"
    keen = replace(opened, settings=SETTINGS.model_copy(update={"secrets": ("API_KEY",)}))
    with pytest.raises(HostError), recorded("deploy", goal(), keen):
        raise failure

    assert failure.login == "10.0.2.1"  # as `records.ssh` words it here
    assert lines(opened)[-1]["console"].startswith("The console of shop-1 ends:\n    API_KEY=")
    assert "hunter2" not in opened.records.journal.read_text()
