"""A journal as bars on lanes."""

import itertools

import pytest

from tasks.report.html.model import LaneKind, State
from tasks.report.html.timeline import timeline
from tests.report.runs import Told, broken, deployed, server


def lanes(told):
    """Give the bars of each lane: what, from when, to when."""
    return {lane.name: [(bar.what, bar.began, bar.ended) for bar in lane.bars] for lane in timeline(told.run()).lanes}


def test_each_server_has_a_lane_with_a_bar_for_each_stage():
    """From the request that asked for it to the last thing that was done on it."""
    assert lanes(deployed())["1"] == [
        ("boot", 0.2, 2.0), ("set up", 2.0, 5.0), ("migrate", 5.0, 6.0), ("test", 6.0, 8.0), ("check", 8.0, 8.3),
        ("mark as serving", 11.0, 11.05),
    ]  # fmt: skip


def test_lanes_are_ordered():
    """The deploy itself, new servers, those that were there, load balancers."""
    found = [(lane.kind, lane.name) for lane in timeline(deployed().run()).lanes]

    assert found == [
        (LaneKind.DEPLOY, "deploy"), (LaneKind.SERVER, "1"), (LaneKind.SERVER, "2"), (LaneKind.SERVER, "old"),
        (LaneKind.BALANCER, "http"),
    ]  # fmt: skip


@pytest.mark.parametrize("told", [deployed(), broken()], ids=["deployed", "broken"])
def test_what_is_done_in_one_place_never_overlaps(told):
    """So a lane is one row."""
    for lane in timeline(told.run()).lanes:
        assert all(one.ended <= other.began for one, other in itertools.pairwise(lane.bars))


@pytest.mark.parametrize("told", [deployed(), broken()], ids=["deployed", "broken"])
def test_bars_are_within_the_run(told):
    """Nothing begins before it or ends after it."""
    found = timeline(told.run())

    assert all(0 <= bar.began <= bar.ended <= found.length for bar in found.bars)


def test_times_count_from_when_the_verb_began():
    """What was looked at before is no part of the bars."""
    told = Told().begun(5.0).step("Check", "shop-test-1", 6.0, 7.5).ended(8.0)

    assert lanes(told)["1"] == [("check", 1.0, 2.5)]
    assert timeline(told.run()).length == 3.0


def test_the_critical_path_is_the_chain_that_the_run_waited_for():
    """Each began when the one before it ended; the first server was ready long before, so it is not on it."""
    path = [(bar.where[1], bar.what) for bar in timeline(deployed().run()).critical]

    assert path == [
        ("deploy", "take the claim"), ("2", "boot"), ("2", "set up"), ("2", "test"),
        ("2", "check"), ("http", "add nodes"), ("http", "wait until ONLINE"),
        ("2", "mark as serving"), ("old", "drain"), ("http", "remove nodes"),
        ("old", "delete"),
    ]  # fmt: skip


def test_the_moments_are_when_servers_are_touched_and_when_it_is_undone():
    """Until the rotation begins, nothing that serves has noticed anything."""
    assert [(one.what, one.at) for one in timeline(deployed().run()).moments] == [("rotation begins", 9.0)]
    assert [(one.what, one.at) for one in timeline(broken().run()).moments] == [("undoing begins", 8.1)]


def test_a_failure_is_told_from_what_was_stopped_because_of_it():
    """One cause, and the rest is none."""
    bars = {bar.where[1]: bar for bar in timeline(broken().run()).bars if bar.stage == "test"}

    assert (bars["1"].state, bars["2"].state) == (State.STOPPED, State.FAILED)
    assert "no space left" in bars["2"].note


def test_a_build_that_died_is_a_failure_with_the_words_of_the_cloud():
    """Its slot is built again, as a server of the same name with a bar of its own."""
    dead = server("shop-test-1", "ERROR", fault="No valid host was found")
    told = Told().begun().step("CreateServer", "slot 1", 0.0, 0.1, server("shop-test-1", "BUILD"))
    told.step("WatchBuilds", "builds", 0.1, 1.0, dead).step("ReplaceBuild", "shop-test-1", 1.0, 1.2)
    told.builds(1, 1.2, 2.0).ended(2.0)

    [lane] = timeline(told.run()).lanes
    assert [(bar.what, bar.state, bar.note) for bar in lane.bars] == [
        ("boot", State.FAILED, "No valid host was found"), ("delete, to be replaced", State.DONE, ""),
        ("boot", State.DONE, ""),
    ]  # fmt: skip


def test_a_build_that_nobody_waits_for_any_more_ends_when_the_server_is_deleted():
    """Another server has failed meanwhile; this one is stopped, not lost."""
    told = Told().begun().step("CreateServer", "slot 1", 0.0, 0.1, server("shop-test-1", "BUILD"))
    told.step("RetireServer", "shop-test-1", 1.0, 1.5).ended(1.5, "failed", 4)

    [lane] = timeline(told.run()).lanes
    assert [(bar.what, bar.state, bar.ended) for bar in lane.bars] == [
        ("boot", State.STOPPED, 1.0), ("delete", State.DONE, 1.5),
    ]  # fmt: skip


def test_a_run_that_was_killed_ends_with_the_last_that_is_known_of_it():
    """What was under way is cut off there."""
    told = Told().begun().builds(1, 0.2, 2.0).line(2.0, "started", step="SetUp", subject="server i", servers=["i"])
    told.asked(6.0)

    found = timeline(told.run())
    assert found.length == 6.0
    assert [(bar.state, bar.ended) for bar in found.bars if bar.stage == "set up"] == [(State.CUT_OFF, 6.0)]


def test_connections_that_were_cut_are_worth_a_note():
    """The drain limit passed, and somebody may have noticed."""
    [drain] = [bar for bar in timeline(deployed().run()).bars if bar.stage == "drain"]

    assert drain.note == "2 connections were still open at the limit"


def test_requests_are_told_with_their_answers():
    """Those that were refused are told from those that were not."""
    found = timeline(deployed().run()).requests

    assert [(one.text, one.status, one.is_well) for one in found] == [
        ("GET /servers/detail", 200, True), ("PUT /servers/detail", 422, False),
    ]  # fmt: skip


def test_steps_that_are_not_known_are_shown_by_their_own_names():
    """A journal may be of a later version."""
    told = Told().begun().step("BlessServer", "shop-test-1", 0.0, 1.0).ended(1.0)

    assert lanes(told)["1"] == [("bless server", 0.0, 1.0)]


def test_a_run_in_which_nothing_happened_has_no_lanes():
    """Preflight refused, or another operator was at work."""
    found = timeline(Told().begun().ended(0.0, "claimed", 6).run())

    assert (found.lanes, found.critical) == ((), ())
    assert found.length > 0


def test_what_was_stopped_by_a_failure_was_not_waited_for():
    """The critical path of a deploy that failed leads through the failure."""
    path = [(bar.where[1], bar.what) for bar in timeline(broken().run()).critical]

    assert path == [("2", "boot"), ("2", "set up"), ("2", "test"), ("2", "delete")]
