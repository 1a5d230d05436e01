"""The lines of a journal are as documented: programs of other people read them."""

import json
import os
from pathlib import Path

import pytest

from tasks.rollout.journal_format import ERROR, EVENTS, EVERY_LINE, FACTS, document
from tasks.rollout.journal_lines import Lines
from tests.rollout import happenings

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"
GOLDEN = Path(__file__).with_name("journal.golden.jsonl")


def told(events):
    """Give the lines of a run; what clocks say is the same every time."""
    lines = Lines()
    return [json.loads(json.dumps(lines.of(event))) | {"time": "2026-01-02T03:04:05.678+00:00"} for event in events]


LINES = told(happenings.every_kind())
SEEN = next(line["facts"] for line in LINES if line["event"] == "finished")


def is_as_documented(values, fields):
    """Say whether an object has every field that it always has, and none that is not documented."""
    always = {name for name in fields if "?" not in name}
    return always <= set(values) <= {name.rstrip("?") for name in fields}


@pytest.mark.parametrize("line", LINES, ids=[line["event"] for line in LINES])
def test_each_line_has_the_fields_that_are_documented(line):
    """No field is missing, and none is a secret between this version of the code and itself."""
    _, fields = EVENTS[line["event"]]

    assert is_as_documented(line, {**EVERY_LINE, **fields})


def test_every_event_that_is_documented_happens():
    """The documentation speaks of nothing that is never written."""
    assert {line["event"] for line in LINES} == set(EVENTS)


@pytest.mark.parametrize("fact", SEEN, ids=lambda fact: fact["fact"])
def test_each_fact_has_the_fields_that_are_documented(fact):
    """What a step has seen can be relied on as well."""
    assert is_as_documented(fact, {"fact": "which", **FACTS[fact["fact"]]})


def test_every_fact_that_is_documented_happens():
    """All kinds of facts are told of, each in its own words."""
    assert {fact["fact"] for fact in SEEN} == set(FACTS)


def test_steps_have_the_fields_that_are_documented():
    """A step is told in the same way whether it is planned, begun or over."""
    steps = [step for line in LINES if line["event"] == "planned" for bag in line["rounds"] for step in bag]

    assert steps
    assert all(is_as_documented(step, EVENTS["started"][1]) for step in steps)


def test_the_format_is_what_it_was():
    """Lines that were written down once look the same today: WRITE_DOCS=1 writes them anew, knowingly."""
    text = "".join(json.dumps(line) + "\n" for line in LINES)
    if os.environ.get("WRITE_DOCS"):
        GOLDEN.write_text(text)

    assert text == GOLDEN.read_text()


def test_the_document_is_what_the_code_says():
    """docs/events.md is written from the same table that these tests compare with."""
    if os.environ.get("WRITE_DOCS"):
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(document())

    assert DOCUMENT.read_text() == document()


def test_an_error_is_told_in_the_same_fields_everywhere():
    """Whoever shows the failure of a step can show the failure of the run."""
    ended = EVENTS["ended"][1]

    assert {name.rstrip("?") for name in ERROR} <= {name.rstrip("?") for name in ended}
