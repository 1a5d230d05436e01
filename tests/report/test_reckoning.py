"""What a plan comes to, for people and for programs."""

import json
from functools import partial

import pytest

from tasks.report.plan import show_plan
from tasks.report.plan_json import as_json, print_json
from tasks.report.reckoning import Count, reckon
from tasks.rollout.forecast import forecast
from tasks.rollout.foreseeing import Foreseen
from tasks.rollout.goal import Bounds, Pace
from tasks.rollout.labels import NOBODY, Predecessor
from tasks.rollout.planning import plan
from tasks.rollout.resuming import Interruption, Way
from tasks.rollout.steps import RetireServer
from tests.report.kept import claim
from tests.report.test_plan import shown
from tests.rollout.builders import HTTP, OLD, balancer, both, goal, node, old, seen, server


def planned(wanted, before, **changes):
    """Give what a deploy would do from there."""
    return Foreseen(goal=wanted, seen=before, rounds=forecast(partial(plan, wanted), wanted, before), **changes)


def serving(*servers):
    """Give a site on which these servers serve, on all load balancers."""
    return seen(*servers, balancers=both(*map(node, servers)))


def test_servers_are_counted_at_their_most():
    """What a quota has to allow is the moment when new and old ones are there together."""
    limited = planned(goal(count=2, bounds=Bounds(servers=5)), serving(old(1), old(2), old(3)))

    assert reckon(limited).count == Count(before=3, most=5, after=2, allowed=5)
    assert reckon(limited).count.room == (2, 0, 3)
    assert reckon(planned(goal(count=2), seen())).count.room is None


def test_who_comes_and_who_goes_is_named():
    """Servers that are kept for a rollback are not deleted."""
    before = serving(old(1))
    kept = goal(count=1, pace=Pace(standby=1800.0), previous=Predecessor(OLD, "r1", 1))
    away, parked = reckon(planned(goal(count=1), before)), reckon(planned(kept, before))

    assert away.created == ("shop-test-20260202-000000-bbbb-1",)
    assert ([one.id for one in away.deleted], away.parked) == (["old-1"], ())
    assert ([one.id for one in parked.parked], parked.deleted) == (["old-1"], ())


@pytest.mark.parametrize(
    ("before", "wanted", "is_change"),
    [
        (serving(old(1), old(2)), goal(count=2, release="r1"), False),
        (serving(old(1), old(2)), goal(count=2, release="r2"), True),
        (serving(old(1), old(2)), goal(count=3, release="r1"), True),
        (seen(old(1), balancers=[balancer(node(old(1)))]), goal(count=1, release="r1"), True),
        (seen(), goal(count=1), True),
    ],
    ids=["as it is", "another release", "another count", "another listener", "nothing there"],
)
def test_a_deploy_of_what_serves_already_is_no_change(before, wanted, is_change):
    """It would only renew the servers: the same release, on as many of them, behind every listener."""
    assert reckon(planned(wanted, before)).is_change is is_change


def test_an_interrupted_deploy_is_a_change_to_come():
    """Whatever serves: something has to be made good for."""
    found = Interruption(claim=claim(), servers=(server(1),), previous=NOBODY)
    foreseen = planned(goal(count=1, release="r1"), serving(old(1)), found=found, onward=Way.UNDO)

    assert reckon(foreseen).is_change
    assert as_json(foreseen)["interrupted"]["next_deploy"] == "undo"
    assert as_json(foreseen)["interrupted"]["owner"] == "ada@laptop"


def test_no_change_is_said():
    """A person who plans what serves already reads that nothing would be new, and that the quota is not known."""
    text = shown(lambda console: show_plan(planned(goal(count=1, release="r1"), serving(old(1))), console))

    assert "Release r1 serves already: a deploy would only renew its servers." in text
    assert "Servers: 1 now, 2 at most, 1 afterwards; no limit is known." in text


def test_of_many_names_the_first_are_given():
    """The others are counted; the steps name all."""
    text = shown(lambda console: show_plan(planned(goal(count=1), serving(*map(old, range(1, 13)))), console))

    assert " and 2 more. Servers: 12 now" in " ".join(text.split())


def test_the_json_has_the_documented_keys():
    """Every key is there also when it is empty; a limit that is not known is null."""
    found = as_json(planned(goal(count=1), seen()))

    assert list(found) == [
        "app", "environment", "release", "generation", "is_change", "can_be_done", "at_work", "interrupted", "create",
        "delete", "park", "servers", "room", "touches_serving_from", "steps",
    ]  # fmt: skip
    assert list(found["steps"][0]) == ["number", "step", "subject", "part", "text"]
    assert (found["room"], found["interrupted"], found["touches_serving_from"], found["delete"]) == (
        None,
        None,
        None,
        [],
    )


def test_the_json_says_what_touches_what_serves(capsys):
    """The first such step by its number; what is deleted by id, name and release."""
    wanted = goal(count=1, listeners=(HTTP,), bounds=Bounds(servers=5))
    print_json(planned(wanted, seen(old(1), balancers=[balancer(node(old(1)))])))
    found = json.loads(capsys.readouterr().out)

    assert found["steps"][found["touches_serving_from"] - 1]["text"] == "set DRAINING on shop-test-http: shop-1"
    assert found["delete"] == [{"id": "old-1", "name": "shop-1", "release": "r1"}]
    assert (found["servers"], found["room"]) == (
        {"before": 1, "fullest": 2, "after": 1},
        {"before": 4, "fullest": 3, "after": 4},
    )


def test_the_json_parts_what_was_interrupted_from_the_deploy():
    """What is undone first carries the lower numbers; it touches nothing that serves."""
    first = (frozenset({RetireServer(server_id="new-2")}),)
    found = as_json(planned(goal(count=1), serving(old(1)), first=first))

    assert [step["part"] for step in found["steps"]][:2] == ["interrupted", "deploy"]
    assert found["touches_serving_from"] > 1
