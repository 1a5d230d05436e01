"""Progress in CI and in a terminal."""

import io

from rich.console import Console

from tasks.errors import HostError, Interrupted
from tasks.report.progress import Progress
from tasks.rollout.events import Failed, Finished, Observed, Reverting, Said, Started
from tasks.rollout.model import Phase, ServerStatus
from tasks.rollout.steps import AddNodes, RetireServer, SetUp, WatchBuilds
from tests.rollout.builders import old, seen, server
from tests.cloud.virtual_clock import VirtualClock


def lines(*events, **console):
    """Give what is printed for these events."""
    shown = Console(file=io.StringIO(), width=100, **console)
    progress = Progress(shown, VirtualClock(), prefix="shop-test-")
    for event in events:
        progress(event)
    progress.close()
    return shown.file.getvalue().splitlines(), progress


def test_every_finished_step_is_a_line_with_the_time_since_the_start():
    """CI logs need no terminal; what took a second or longer says so."""
    step = SetUp(server_id="new-1")
    booted = server(1, Phase.BOOTING, name="shop-test-x-1")
    watch = WatchBuilds(server_ids=frozenset({"new-1"}))
    printed, _ = lines(
        Started(at=0.0, step=watch),
        Finished(at=0.5, step=watch, facts=(booted,)),
        Started(at=0.5, step=step),
        Finished(at=4.0, step=step, facts=()),
    )

    assert printed == ["    0.5 s  - x-1 booted at 10.0.2.1", "    4.0 s  - x-1 set up (3.5 s)"]


def test_servers_that_were_there_before_have_names():
    """A node is called by its server, not by an id."""
    step = AddNodes(balancer="shop-test-http", addresses=frozenset({"10.0.1.1"}), port=1)
    printed, _ = lines(
        Observed(at=0.0, seen=seen(old(1, name="shop-test-y-1"))), Started(at=0.0, step=step),
        Finished(at=0.1, step=step, facts=()), Started(at=0.2, step=RetireServer(server_id="old-1")),
        Finished(at=0.3, step=RetireServer(server_id="old-1"), facts=()),
    )  # fmt: skip

    assert printed == ["    0.1 s  - http sends requests to y-1", "    0.3 s  - y-1 deleted"]


def test_a_build_that_failed_says_why():
    """The cloud's own words."""
    dead = server(1, Phase.BOOTING, status=ServerStatus.ERROR, fault="No valid host was found")
    watch = WatchBuilds(server_ids=frozenset({"new-1"}))
    printed, _ = lines(Started(at=0.0, step=watch), Finished(at=1.0, step=watch, facts=(dead,)))

    assert "failed to boot: No valid host was found" in printed[0]


def test_a_failure_and_its_undoing_are_told():
    """Which step failed, and that nothing that served is touched."""
    step = SetUp(server_id="new-1")
    printed, _ = lines(
        Started(at=0.0, step=step),
        Failed(at=1.0, step=step, error=HostError("no", server="x")),
        Reverting(at=1.1, reason="no"),
        Said(at=1.2, text="a [note]"),
    )

    assert printed == [
        "    1.0 s  - failed: setting up new-1",
        "    1.1 s  - undoing what was done; servers that served stay as they are",
        "    1.2 s  - a [note]",
    ]


def test_steps_that_were_told_to_stop_are_not_called_failures():
    """When one step fails, the others end with it; one cause is shown, not many."""
    step = SetUp(server_id="new-1")
    printed, _ = lines(Started(at=0.0, step=step), Failed(at=1.0, step=step, error=Interrupted("stopped")))

    assert printed == []


def test_a_stage_takes_as_long_as_its_slowest_server():
    """The summary's figures."""
    steps = [SetUp(server_id="a"), SetUp(server_id="b")]
    _, progress = lines(
        *(Started(at=0.0, step=step) for step in steps),
        Finished(at=2.0, step=steps[0], facts=()),
        Finished(at=3.5, step=steps[1], facts=()),
    )

    assert dict(progress.stages) == {"set up": 3.5}


def test_a_terminal_shows_what_is_under_way():
    """The last line names the steps that run now."""
    steps = [SetUp(server_id=name) for name in "abc"]
    printed, _ = lines(*(Started(at=0.0, step=step) for step in steps), force_terminal=True)

    assert any("setting up a, setting up b and 1 more" in line for line in printed)
