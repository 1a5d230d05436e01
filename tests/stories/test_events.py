"""The journal while it is written: what a CI or a chat reads of a deploy."""

import json
from pathlib import Path
from typing import Any

from tests.stories.operators import ONE, Operator


def parsed(text: str) -> list[dict[str, Any]]:
    """Read lines, each of which has to be JSON."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_stream_of_events_is_the_journal(operator: Operator):
    """With `--events -` standard output has the journal's lines and nothing else; people read standard error."""
    ran = operator.with_settings(ONE).manages("deploy", "--events", "-")
    [run] = json.loads(operator.manages("history", "--json").stdout)
    told = parsed(ran.stdout)

    assert ran.stdout == Path(run["journal"]).read_text()
    assert [told[0]["event"], told[-1]["event"]] == ["begun", "ended"]
    assert {"planned", "requested", "started", "finished"} <= {line["event"] for line in told}
    assert "guestbook is deployed to production" in ran.stderr


def test_the_requests_and_the_plan_are_in_the_report(operator: Operator):
    """Which APIs were asked, how often and how fast; which steps were planned. `--events` takes a file as well."""
    file = operator.folder / "events.jsonl"
    ran = operator.with_settings(ONE).manages("deploy", "--events", str(file))
    [run] = json.loads(operator.manages("history", "--json").stdout)
    page = Path(run["report"]).read_text()
    asked = [line for line in parsed(file.read_text()) if line["event"] == "requested"]

    assert "guestbook is deployed to production" in ran.stdout
    assert {line["api"] for line in asked} >= {"compute"}
    assert all(line["path"].startswith("/") and "?" not in line["path"] for line in asked)
    assert f"Requests to the cloud ({len(asked)})" in page
    assert "<summary>The plan</summary>" in page


def test_a_stream_that_can_not_be_is_refused(operator: Operator):
    """A file that can not be written is a mistake in the command line; nothing is done."""
    ran = operator.with_settings(ONE).fab("deploy", "--events", "/nowhere/events")

    assert ran.code == 2
    assert "--events: /nowhere/events can not be written" in ran.stderr
    assert operator.cloud().servers() == {}
