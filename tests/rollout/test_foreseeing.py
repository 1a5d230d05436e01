"""What a deploy would do: `plan` foresees what `deploy` then does, also after an interruption."""

from dataclasses import replace

import pytest

from tasks.rollout import deploying
from tasks.rollout.foreseeing import foresee, foresee_first
from tasks.rollout.labels import Phase
from tasks.rollout.resuming import Way
from tasks.rollout.steps import CreateServer, GiveUpRoom, RemoveNodes, RetireServer
from tests.rollout.builders import goal
from tests.rollout.interrupting import killed_at
from tests.simulation.world import World

FIRST = goal(generation="20260101-000000-aa", release="r1")
SECOND = goal(generation="20260202-000000-bb", release="r2")
THIRD = goal(generation="20260303-000000-cc", release="r3")


@pytest.fixture
def live():
    """Give a cloud on which the first generation serves."""
    world = World()
    deploying.deploy(FIRST, world.site())
    world.calls.clear()
    return world


def all_of(rounds, kind):
    """Give the steps of a kind."""
    return [step for bag in rounds for step in bag if isinstance(step, kind)]


def changes(calls):
    """Give the calls that change something."""
    return [call for call in calls if call.split()[0] in {"create", "add", "set", "remove", "delete", "note", "label"}]


def test_a_first_deploy_is_foreseen_without_a_cloud():
    """Where there is nothing yet, nobody has to be asked."""
    found = foresee_first(FIRST)

    assert len(all_of(found.rounds, CreateServer)) == 2
    assert not found.gives_up


def test_foreseeing_changes_nothing(live):
    """All that it asks is read."""
    foresee(SECOND, live.site())

    assert changes(live.calls) == []


def test_what_is_foreseen_is_what_is_done(live):
    """As many servers are created and deleted as was said."""
    found = foresee(SECOND, live.site())
    before = live.names()
    deploying.deploy(SECOND, live.site())

    assert len(all_of(found.rounds, CreateServer)) == len(live.names() - before)
    assert len(all_of(found.rounds, RetireServer)) == len(before - live.names())


def test_a_deploy_of_the_same_release_goes_on_with_an_interrupted_one(live):
    """Its servers are used: none is created, and the generation is the interrupted one's."""
    site = killed_at(live, "add lb-shop-test-http", SECOND)
    found = foresee(replace(THIRD, release="r2"), site)

    assert (found.onward, found.goal.generation) == (Way.RESUME, SECOND.generation)
    assert all_of(found.rounds, CreateServer) == []
    assert len(all_of(found.rounds, RetireServer)) == 2


def test_what_is_of_no_use_is_taken_away_first(live):
    """Of the interrupted deploy's servers those that have not passed everything are replaced."""
    site = killed_at(live, "check 2", SECOND)
    seen = site.observe()
    unfinished = {one.id for one in seen.generation(SECOND.generation) if not one.phase.reached(Phase.READY)}
    found = foresee(replace(THIRD, release="r2"), site)

    assert unfinished
    assert {step.server_id for step in all_of(found.first, RetireServer)} == unfinished
    assert len(all_of(found.rounds, CreateServer)) == len(unfinished)


def test_a_deploy_of_another_release_undoes_an_interrupted_one_first(live):
    """Its nodes leave, its servers are deleted, and only then the deploy itself begins."""
    site = killed_at(live, "add lb-shop-test-http", SECOND)
    found = foresee(THIRD, site)

    assert (found.onward, found.goal.generation) == (Way.UNDO, THIRD.generation)
    assert all_of(found.first, RemoveNodes)
    assert len(all_of(found.first, RetireServer)) == 2
    assert len(all_of(found.rounds, CreateServer)) == 2


def test_where_there_is_no_room_it_is_foreseen(live):
    """A deploy that could not reach its goal is told before it begins."""
    live.quota = 2
    found = foresee(SECOND, live.site())

    assert found.gives_up
    assert all_of(found.rounds[-1:], GiveUpRoom)


def test_who_is_at_work_is_foreseen(live):
    """A deploy would stop at that, or wait."""
    ada = live.operator("ada")
    ada.start(lambda operator: deploying.deploy(SECOND, operator.site))
    live.kernel.run(enough=lambda: "migrate 1" in live.calls)
    found = foresee(THIRD, live.operator("bob").site)
    ada.die()

    assert [claim.owner for claim in found.at_work] == ["ada"]
