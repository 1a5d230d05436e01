"""What a deploy leaves on the operator's machine: a journal, a report, and a line in the history."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stories.operators import ONE, Operator

FAILING = f'{ONE}commands.migrate = "echo no such table; false"\nenv.API_TOKEN = "open-sesame"\n'


def history(operator: Operator) -> list[dict[str, Any]]:
    """Ask `history --json`."""
    return list(json.loads(operator.manages("history", "--json").stdout))


def lines(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Read the journal of a run."""
    return [json.loads(line) for line in Path(run["journal"]).read_text().splitlines()]


def test_a_deploy_is_in_the_history(site: Operator):
    """What was deployed, by whom, how long it took and how it ended, as the journal has it."""
    run = history(site)[-1]
    begun, *_, ended = lines(run)

    assert (run["verb"], run["outcome"], run["exit_code"]) == ("deploy", "done", 0)
    assert (begun["event"], begun["release"], begun["owner"]) == ("begun", run["release"], run["owner"])
    assert (ended["event"], ended["outcome"]) == ("ended", "done")
    assert run["seconds"] == pytest.approx(ended["at"] - begun["at"], abs=0.01)
    assert f"deploy  guestbook/production  {run['release']}" in site.manages("history").stdout


def test_its_report_shows_what_was_done_where(site: Operator):
    """Each server has its lane, from its boot until it serves."""
    run = history(site)[-1]
    page = Path(run["report"]).read_text()
    [server] = site.cloud().servers().values()

    assert f'aria-label="Server {server.name.removeprefix("guestbook-production-")}: boot, ' in page
    for stage in ("boot", "set-up", "migrate", "check"):
        assert page.count(f'class="bar {stage} done"') == 1
    assert "rotation begins" in page


def test_a_deploy_that_fails_leaves_a_report_too(site: Operator):
    """With what the command printed, the exit code in words, and no secret."""
    ran = site.with_settings(FAILING).fab("deploy")
    run = history(site)[0]
    page = Path(run["report"]).read_text()

    assert (ran.code, run["exit_code"]) == (4, 4)
    assert run["report"] in ran.text
    assert site.manages("history", "--report").stdout == f"{run['report']}\n"
    assert "no such table" in page
    assert "new servers failed and were removed, nothing changed (exit code 4)" in page
    assert "open-sesame" not in page + Path(run["journal"]).read_text()


def test_other_verbs_are_in_the_history(site: Operator):
    """Whatever changes something is on record; what only looks is not."""
    before = len(history(site))
    site.manages("check")
    site.manages("status")

    assert [run["verb"] for run in history(site)[: len(history(site)) - before]] == ["check"]
