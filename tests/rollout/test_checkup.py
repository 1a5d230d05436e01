"""What `fab doctor` asks of a cloud: preflight, whose the load balancers are, who is at work, and the check."""

import pytest

from tasks.findings import not_well
from tasks.rollout import deploying
from tasks.rollout.checkup import checkup
from tests.rollout.builders import goal
from tests.rollout.interrupting import killed_at
from tests.simulation.world import World

FIRST = goal(generation="20260101-000000-aa", release="r1")
SECOND = goal(generation="20260202-000000-bb", release="r2")
ANY = goal(generation="", release="")


@pytest.fixture
def live():
    """Give a cloud on which the first generation serves."""
    world = World()
    deploying.deploy(FIRST, world.site())
    world.calls.clear()
    return world


def by_name(found):
    """Give the findings by what they are about; the first of each."""
    return {finding.what: finding for finding in reversed(found)}


def test_an_empty_cloud_is_well():
    """Nothing serves, nobody is at work, and everything can be made."""
    found = checkup(ANY, World().site())

    assert not_well(found) == []
    assert by_name(found)["check"].seen == "nothing serves yet: new servers will be asked"
    assert by_name(found)["marks of load balancers"].seen == "there is none yet"


def test_every_server_that_serves_is_asked_for_its_check(live):
    """Each has a line of its own, and nothing is changed."""
    before = live.names()
    found = checkup(ANY, live.site())
    asked = [finding.what for finding in found if finding.what.startswith("check on ")]

    assert not_well(found) == []
    assert sorted(asked) == sorted(f"check on {name}" for name in live.serving())
    assert (live.names(), live.serving()) == (before, before)


def test_a_server_that_does_not_answer_is_told(live):
    """Its line says what was seen, and which settings say what is asked; the others' lines are ok."""
    down, *_ = live.servers.by_id.values()
    down.up = False
    (wrong,) = not_well(checkup(ANY, live.site()))

    assert wrong.what == f"check on {down.name}"
    assert wrong.seen == f"{down.name} does not answer"
    assert "`check.path`" in wrong.remedy


def test_load_balancers_that_somebody_made_by_hand_are_told(live):
    """A deploy would not touch them; how to take them over is said."""
    by_hand = next(iter(live.balancers.by_id.values()))
    by_hand.marked = False
    (wrong,) = not_well(checkup(ANY, live.site()))

    assert wrong.what == "marks of load balancers"
    assert by_hand.name in wrong.seen
    assert "--adopt" in wrong.remedy


def test_what_preflight_would_raise_is_not_ok(live):
    """It is the same code: a quota that has no room and a node limit that is too low are told by both."""
    live.quota, live.node_limit = 2, 1
    problems = [finding.problem for finding in not_well(checkup(ANY, live.site()))]

    assert "the quota is too small; lower `count`" in problems
    assert any("a load balancer can have 1 nodes, and 2 servers are wanted" in problem for problem in problems)


def test_whoever_is_at_work_is_told(live):
    """A deploy would be refused; how to wait is said."""
    ada = live.operator("ada")
    ada.start(lambda operator: deploying.deploy(SECOND, operator.site))
    live.kernel.run(enough=lambda: "migrate 1" in live.calls)
    claims = by_name(checkup(ANY, live.operator("bob").site))["claims"]
    ada.die()

    assert not claims.ok
    assert "the deploy of ada" in claims.seen
    assert "--wait" in claims.remedy


def test_an_interrupted_deploy_is_told_and_keeps_nobody_from_deploying(live):
    """The next deploy makes good for it; that one can undo it now is said."""
    found = by_name(checkup(ANY, killed_at(live, "migrate 1", SECOND)))

    assert found["interrupted deploy"].ok
    assert "the deploy of ada" in found["interrupted deploy"].seen
    assert "`fab abort`" in found["interrupted deploy"].remedy
    assert found["claims"].ok
