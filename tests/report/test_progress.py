"""Progress in CI and in a terminal."""

import io

from rich.console import Console

from tasks.errors import HostError, Interrupted
from tasks.report.progress import Progress
from tasks.report.wording import watched
from tasks.rollout.events import Failed, Finished, Observed, Reverting, Said, Started
from tasks.rollout.labels import Phase
from tasks.rollout.model import ServerStatus
from tasks.rollout.observation import BuildDied, Gone, Moment, Probed
from tasks.rollout.steps import AddNodes, ProbeOld, ReplaceBuild, RetireServer, SetUp, TakeClaim, Watch, WatchBuilds
from tests.cloud.virtual_clock import VirtualClock
from tests.rollout.builders import old, seen, server


def lines(*events, **console):
    """Give what is printed for these events."""
    shown = Console(file=io.StringIO(), width=100, **console)
    progress = Progress(shown, VirtualClock(), prefix="shop-test-", watch=watched(30, "./smoke"))
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
        "    1.1 s  - undoing what was done; what served before goes on serving",
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

    assert dict(progress.figures.stages) == {"set up": 3.5}


def probed(*problems, moment=Moment.BEFORE):
    """Give the events of old servers that are asked together, and answer one after the other."""
    steps = [ProbeOld(server_id=f"old-{number}", moment=moment) for number, _ in enumerate(problems, start=1)]
    facts = [
        Probed(server_id=step.server_id, moment=moment, problem=problem)
        for step, problem in zip(steps, problems, strict=True)
    ]
    ends = [Finished(at=1.0, step=step, facts=(fact,)) for step, fact in zip(steps, facts, strict=True)]
    return [*(Started(at=0.0, step=step) for step in steps), *ends]


def test_old_servers_that_are_well_are_one_line():
    """Ten of them are no ten lines."""
    printed, _ = lines(*probed("", "", ""), *probed("", moment=Moment.AFTER))

    assert printed == [
        "    1.0 s  - 3 old servers answer their checks",
        "    1.0 s  - 1 old server answers its check after the migrations as before",
    ]


def test_an_old_server_that_is_not_well_is_named():
    """With what it answered; the others are counted without it."""
    printed, _ = lines(*probed("", "it answered 503"))

    assert printed == [
        "    1.0 s  - old-2 does not answer its check: it answered 503",
        "    1.0 s  - 1 old server answers its check",
    ]


def test_a_watch_says_what_it_looks_at():
    """When it begins, since it takes a while: how many new servers, for how long, and at what."""
    step = Watch(count=1)
    printed, _ = lines(Started(at=1.0, step=step), Finished(at=31.0, step=step, facts=()))

    assert printed == [
        "    1.0 s  - watching 1 new server for 30 s: nodes, checks, virtual IPs, `commands.watch`",
        "   31.0 s  - 1 new server passed the watch (30.0 s)",
    ]


def test_builds_that_were_of_no_use_are_counted():
    """For the summary: a deploy that went well may have met a cloud that builds badly."""
    step = ReplaceBuild(server_id="new-1", slot=1)
    _, progress = lines(
        Started(at=0.0, step=step), Finished(at=1.0, step=step, facts=(Gone(server_id="new-1"), BuildDied(slot=1)))
    )

    assert progress.figures.replaced == 1


def test_the_claim_is_held_from_when_it_was_taken():
    """Until the last thing that happened; without one, no time at all."""
    step = TakeClaim(server_id="new-1")
    _, progress = lines(
        Started(at=0.0, step=step), Finished(at=2.0, step=step, facts=()), Said(at=7.5, text="and so on")
    )
    _, without = lines(Said(at=7.5, text="and so on"))

    assert (progress.figures.claimed, without.figures.claimed) == (5.5, 0.0)


def test_what_servers_print_is_prefixed_by_their_names():
    """For whoever wants to see all of it: the server, the stage, the line as it is."""
    shown = Console(file=io.StringIO(), width=100)
    progress = Progress(shown, VirtualClock(), prefix="shop-test-")
    progress.output("shop-test-x-1", "test", "not shown line by line")
    progress.echo("shop-test-x-1", "test", "Ran 3 tests [red]")

    assert shown.file.getvalue() == "x-1 test: Ran 3 tests [red]\n"
