"""The journal: one line of JSON for every event, for its owner only."""

import json
import stat

from tasks.errors import HostError
from tasks.rollout.events import Failed, Finished, Observed, Reverting, Said, Started
from tasks.rollout.journal import Journal
from tasks.rollout.steps import SetUp
from tests.rollout.builders import old, seen

STEP = SetUp(server_id="i")


def test_every_kind_of_event_is_one_line(tmp_path):
    """Whatever happens can be read back."""
    journal = Journal(tmp_path / "deploys/journal.jsonl")
    events = [
        Started(at=1.23456, step=STEP),
        Observed(at=1.5, seen=seen(old(1))),
        Finished(at=2, step=STEP, facts=()),
        Failed(at=3, step=STEP, error=HostError("no\nway", server="x")),
        Reverting(at=4, reason="no way"),
        Said(at=5, text="a note"),
    ]
    for event in events:
        journal(event)
    lines = [json.loads(line) for line in journal.path.read_text().splitlines()]

    assert [line["event"] for line in lines] == ["started", "observed", "finished", "failed", "reverting", "said"]
    assert lines[0] == {
        "time": lines[0]["time"],
        "event": "started",
        "at": 1.235,
        "step": "SetUp",
        "subject": "server i",
    }
    assert lines[3]["error"] == "no\nway"


def test_only_its_owner_can_read_it(tmp_path):
    """Names and addresses of servers are nobody else's business."""
    journal = Journal(tmp_path / "deploys/journal.jsonl")
    journal(Said(at=0, text="x"))

    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_a_full_disk_does_not_fail_a_deploy():
    """The journal is a record, never the truth."""
    from pathlib import Path

    journal = Journal(Path("/dev/full"))
    journal(Said(at=0, text="x" * 100))


def test_looking_alone_leaves_no_journal(tmp_path):
    """`fab status` a hundred times a day fills no folder."""
    journal = Journal(tmp_path / "deploys/journal.jsonl")
    journal(Observed(at=0, seen=seen()))

    assert not journal.path.parent.exists()


def test_it_is_added_to(tmp_path):
    """A second writer loses nothing."""
    for text in ("one", "two"):
        journal = Journal(tmp_path / "journal.jsonl")
        journal(Said(at=0, text=text))

    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 2
