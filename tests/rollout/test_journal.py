"""The journal: one line of JSON for every event, for its owner only."""

import json
import stat
import threading
from pathlib import Path

from tasks.outcomes import Outcome
from tasks.rollout.events import Ended, Finished, Observed, Requested, Said, Started
from tasks.rollout.journal import Journal
from tasks.rollout.steps import SetUp
from tests.rollout.builders import old, seen, server
from tests.rollout.happenings import BROKEN, begun, ended, every_kind

STEP = SetUp(server_id="new-1")


def written(path):
    """Read a journal back."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def journal_of(tmp_path, *events):
    """Give a journal to which these events were told."""
    journal = Journal(tmp_path / "deploys/journal.jsonl")
    for event in events:
        journal(event)
    return journal


def test_every_kind_of_event_is_one_line(tmp_path):
    """Whatever happens can be read back, in its order."""
    journal = journal_of(tmp_path, *every_kind())

    assert [line["event"] for line in written(journal.path)] == [type(e).__name__.lower() for e in every_kind()]


def test_only_its_owner_can_read_it(tmp_path):
    """Names and addresses of servers are nobody else's business."""
    journal = journal_of(tmp_path, begun())

    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_a_full_disk_does_not_fail_a_deploy():
    """The journal is a record, never the truth."""
    journal = Journal(Path("/dev/full"))
    journal(begun())


def test_looking_alone_leaves_no_journal(tmp_path):
    """`fab status` a hundred times a day fills no folder."""
    asked = Requested(at=0, api="compute", method="GET", path="/servers", status=200, seconds=0.1)
    journal = journal_of(tmp_path, Observed(at=0, seen=seen()), asked, Said(at=0, text="slow"))

    assert not journal.path.parent.exists()


def test_the_first_line_says_what_was_begun(tmp_path):
    """What was looked at before it is told after it, and nothing is lost."""
    journal = journal_of(tmp_path, Said(at=1, text="slow"), begun(2.5), Started(at=3, step=STEP))

    lines = written(journal.path)
    assert [(line["event"], line["at"]) for line in lines] == [("begun", 1.5), ("said", 0.0), ("started", 2.0)]
    assert lines[0]["schema"] == 1
    assert lines[0]["settings"] == {"app": "shop", "count": 2}


def test_a_step_without_a_beginning_is_written_as_well(tmp_path):
    """No verb has to say what it is in order to be on record."""
    journal = journal_of(tmp_path, Observed(at=1, seen=seen()), Started(at=3, step=STEP))

    assert [line["event"] for line in written(journal.path)] == ["observed", "started"]


def test_servers_are_called_by_their_names(tmp_path):
    """An id tells nothing when the server is long gone; the name is known from whatever was seen of it."""
    facts = (server(1, name="shop-test-x-1"),)
    before, after = Started(at=1, step=STEP), Started(at=3, step=STEP)
    journal = journal_of(tmp_path, begun(), before, Finished(at=2, step=STEP, facts=facts), after)

    assert [line["servers"] for line in written(journal.path)[1:]] == [["new-1"], ["shop-test-x-1"], ["shop-test-x-1"]]


def test_the_end_says_how_and_why(tmp_path):
    """The outcome in a word, the exit code, and the failure in the words that the operator has read."""
    journal = journal_of(tmp_path, begun(), ended(12, Outcome.FAILED, BROKEN))

    end = written(journal.path)[-1]
    assert (end["outcome"], end["exit_code"], end["kind"]) == ("failed", 4, "CommandFailed")
    assert end["error"] == BROKEN.problem


def test_a_bug_is_told_as_what_it_is(tmp_path):
    """An error that is none of ours has no advice; its own words are kept."""
    journal = journal_of(tmp_path, begun(), Ended(at=12, outcome=Outcome.BUG, error=KeyError("slot")))

    assert written(journal.path)[-1]["error"] == "KeyError('slot')"


def test_it_is_added_to(tmp_path):
    """A second writer loses nothing."""
    for _ in range(2):
        journal_of(tmp_path, begun())

    assert len(written(tmp_path / "deploys/journal.jsonl")) == 2


def test_threads_may_tell_at_the_same_time(tmp_path):
    """Requests are told of by whoever makes them; each is a whole line, and none is lost."""
    journal = journal_of(tmp_path, begun())
    asked = Requested(at=0, api="compute", method="GET", path="/servers", status=200, seconds=0.1)
    threads = [threading.Thread(target=lambda: [journal(asked) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(written(journal.path)) == 201


def test_whoever_listens_hears_the_same_lines(tmp_path):
    """A stream is the journal, in the same order; a file that can not be written keeps no one from it."""
    heard = []
    for path in (tmp_path / "journal.jsonl", Path("/dev/full")):
        heard.append([])
        journal = Journal(path, heard[-1].append)
        for event in (Observed(at=0, seen=seen(old(1))), begun(), ended()):
            journal(event)

    assert "".join(heard[0]) == (tmp_path / "journal.jsonl").read_text()
    assert [json.loads(line)["event"] for line in heard[1]] == ["begun", "observed", "ended"]
