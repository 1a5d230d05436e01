"""The live view as it stands in a terminal, at 80 columns."""

import io
from dataclasses import replace

from rich.console import Console

from tasks.errors import HostError, Interrupted
from tasks.outcomes import Outcome
from tasks.report.board import Board
from tasks.report.live import Expected, Frame, compact, drawn
from tasks.report.progress import Progress
from tasks.rollout.events import Ended, Failed, Finished, Observed, Said, Started
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition, ServerStatus
from tasks.rollout.steps import (
    AddNodes,
    AwaitDrained,
    Check,
    CreateServer,
    MarkServing,
    Migrate,
    ReplaceBuild,
    RetireServer,
    SetCondition,
    SetUp,
    TestApp,
    WatchBuilds,
)
from tests.cloud.virtual_clock import VirtualClock
from tests.rollout.builders import old, seen, server

USUAL = Expected(stages={"boot": 30.0, "set up": 40.0, "test": 12.0, "rotate in": 5.0}, whole=95.0)


def new(slot, **changes):
    """Give a server as its boot leaves it, under the name that it would have on a site."""
    return server(slot, Phase.BOOTING, name=f"20260202-000000-bb-{slot}", **changes)


def went(step, begun, ended, *facts):
    """Give the events of a step that went well."""
    return [Started(at=begun, step=step), Finished(at=ended, step=step, facts=facts)]


def booted(*slots):
    """Give the events of servers that were asked for at 0 s and were there at 20 s."""
    made = [new(slot) for slot in slots]
    asked = [event for one in made for event in went(CreateServer(slot=one.labels.slot), 0.0, 1.0, one)]
    return [*asked, *went(WatchBuilds(server_ids=frozenset(one.id for one in made)), 1.0, 20.0, *made)]


def boarded(*events):
    """Give the board after these events."""
    board = Board()
    for event in events:
        board(event)
    return board


def frame(board, **changes):
    """Give what an ordinary terminal shows of a board after 42 seconds."""
    values = {"now": 42.0, "started": 0.0, "latest": board.latest, "expected": USUAL} | changes
    return [line.plain for line in drawn(Frame(rows=tuple(board.rows.values()), **values))]


def test_a_deploy_is_a_row_a_server_and_a_cell_a_stage():
    """What took how long, what is under way and for how long usually, what is still to come, what leaves."""
    board = boarded(
        Observed(at=0.0, seen=seen(old(1, name="20260101-000000-aa-1"))),
        *booted(1, 2, 3),
        *went(SetUp(server_id="new-1"), 20.0, 29.0),
        *went(Migrate(server_id="new-1"), 29.0, 31.5),
        Started(at=34.0, step=TestApp(server_id="new-1")),
        Started(at=20.0, step=SetUp(server_id="new-2")),
        Started(at=20.0, step=SetUp(server_id="new-3")),
        Started(at=30.0, step=AwaitDrained(server_id="old-1")),
    )
    board.output("20260202-000000-bb-2", "set up", "installing wheels", 25.0)
    board.output("20260101-000000-aa-1", "drain", "12 connections", 40.0)
    board.output("20260202-000000-bb-1", "test", "Ran 120 tests in 3.2s", 41.0)

    assert frame(board, running=("waiting for nodes of http", "watching 1 new server")) == [
        "42s, usually 95s · 0 of 3 serve",
        "                     boot    trust   set up  migrate test    check   serve",
        "20260202-000000-bb-1 ✓ 20s   ✓       ✓ 9.0s  ✓ 2.5s  8s/12s  ·       ·",
        "20260202-000000-bb-2 ✓ 20s   ✓       22s/40s         ·       ·       ·",
        "20260202-000000-bb-3 ✓ 20s   22s…    ·               ·       ·       ·",
        "20260101-000000-aa-1 draining 12 connections",
        "▸ waiting for nodes of http and 1 more",
        "20260202-000000-bb-1 test: Ran 120 tests in 3.2s",
    ]


def test_a_server_in_rotation_serves():
    """Its last cell tells how long it took to get there."""
    board = boarded(
        *booted(1),
        *went(SetUp(server_id="new-1"), 20.0, 29.0),
        *went(TestApp(server_id="new-1"), 29.0, 30.0),
        *went(Check(server_id="new-1"), 30.0, 31.0),
        Started(at=32.0, step=AddNodes(balancer="http", addresses=frozenset({"10.0.2.1"}), port=1)),
        *went(MarkServing(server_id="new-1"), 36.0, 37.0),
    )

    assert frame(board)[0] == "42s, usually 95s · 1 of 1 serve"
    assert frame(board)[2] == "20260202-000000-bb-1 ✓ 20s   ✓       ✓ 9.0s  ·       ✓ 1.0s  ✓ 1.0s  ✓ 5.0s"


def test_a_stage_that_failed_stays_visible_when_its_server_is_deleted():
    """One cause: the stages that only stopped because of it are not called failures."""
    board = boarded(
        *booted(1, 2),
        Started(at=20.0, step=SetUp(server_id="new-1")),
        Started(at=20.0, step=SetUp(server_id="new-2")),
        Failed(at=25.0, step=SetUp(server_id="new-1"), error=HostError("no", server="x")),
        Failed(at=25.0, step=SetUp(server_id="new-2"), error=Interrupted("stopped")),
        *went(RetireServer(server_id="new-1"), 26.0, 27.0),
        Started(at=26.0, step=RetireServer(server_id="new-2")),
    )

    assert frame(board)[2:] == [
        "20260202-000000-bb-1 ✓ 20s   ✗ 5.0s  ·       ·       ·       ·       deleted",
        "20260202-000000-bb-2 ✓ 20s   ·       ·       ·       ·       ·       deleting",
    ]


def test_a_build_of_no_use_makes_room_for_the_next():
    """The slot is asked for again, and has a row once."""
    dead = new(1, status=ServerStatus.ERROR)
    board = boarded(
        *went(CreateServer(slot=1), 0.0, 1.0, dead),
        *went(WatchBuilds(server_ids=frozenset({"new-1"})), 1.0, 9.0, dead),
    )
    failed = frame(board)[2:]
    for event in [
        *went(ReplaceBuild(server_id="new-1", slot=1), 9.0, 10.0),
        Started(at=12.0, step=CreateServer(slot=1)),
    ]:
        board(event)

    assert failed == ["20260202-000000-bb-1 ✗ 9.0s  ·       ·       ·       ·       ·       ·"]
    assert frame(board)[2:] == ["slot 1 30s/30s ·       ·       ·       ·       ·       ·"]


def test_old_servers_that_are_put_back_say_so():
    """In a reverted rotation the rows of the old servers tell that they get requests again."""
    addresses = frozenset({"10.0.1.1"})
    out = SetCondition(balancer="http", addresses=addresses, condition=Condition.DRAINING)
    board = boarded(
        Observed(at=0.0, seen=seen(old(1))),
        *went(out, 1.0, 2.0),
        *went(replace(out, condition=Condition.ENABLED), 3.0, 4.0),
    )

    assert frame(board)[2:] == ["shop-1 back in rotation"]


def test_of_fifty_servers_as_many_rows_as_fit_are_shown_and_the_rest_is_counted():
    """Where something happens or has failed is shown first; nothing is wider or higher than the terminal."""
    board = boarded(
        *booted(*range(1, 51)),
        *(Started(at=20.0, step=SetUp(server_id=f"new-{slot}")) for slot in range(31, 41)),
        Failed(at=25.0, step=SetUp(server_id="new-40"), error=HostError("no", server="x")),
    )
    board.output("20260202-000000-bb-39", "set up", "x" * 500, 25.0)
    lines = frame(board, running=("waiting for nodes of http",))

    assert len(lines) <= 24
    assert max(map(len, lines)) < 80
    assert [line.split()[0][-2:] for line in lines if line.startswith("20260202")][8:18] == [
        "31", "32", "33", "34", "35", "36", "37", "38", "39", "40",
    ]  # fmt: skip
    assert "… and 32 more: 32 boot" in lines


def test_servers_that_were_met_before_show_what_they_have_passed():
    """When an interrupted deploy is gone on with, nobody has seen how long its stages took."""
    board = boarded(
        Observed(at=0.0, seen=seen(server(1, Phase.TESTED, name="x-1"))),
        Started(at=40.0, step=Check(server_id="new-1")),
    )

    assert frame(board)[2:] == ["x-1 ✓       ✓       ✓       ·       ✓       2.0s…   ·"]


def test_lengths_of_time_fit_their_cells():
    """Four characters at most, as exactly as fits."""
    assert [compact(seconds) for seconds in (0, 9.94, 9.96, 99, 100, 5969, 5970, 300_000)] == [
        "0.0s", "9.9s", "10s", "99s", "2m", "99m", "2h", "83h",
    ]  # fmt: skip


def terminal(**changes):
    """Give a progress on a terminal, and what gives the text that it has shown."""
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, **changes)
    return Progress(console, VirtualClock(), prefix="shop-test-"), console.file.getvalue


def test_in_a_terminal_rows_take_the_place_of_lines():
    """What a row tells is no line; what is no server's, and what an operator has to know, is one."""
    progress, text = terminal(no_color=True)
    for event in [*booted(1), Said(at=30.0, text="asking again in 5 s"), Ended(at=31.0, outcome=Outcome.DONE)]:
        progress(event)

    assert "asking again in 5 s" in text()
    assert "booted at" not in text()
    assert "20260202-000000-bb-1 ✓ 20s" in text()


def test_without_colours_a_terminal_gets_none():
    """NO_COLOR: the view moves, in one colour."""
    progress, text = terminal(no_color=True)
    for event in booted(1):
        progress(event)
    progress.close()

    assert "\x1b[3" not in text()


def test_when_nothing_runs_on_servers_nothing_moves():
    """A look at the cloud leaves a terminal as it was."""
    progress, text = terminal()
    progress(Observed(at=0.0, seen=seen(old(1))))
    progress.close()

    assert text() == ""
