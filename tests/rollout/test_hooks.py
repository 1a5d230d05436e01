"""The operator's own commands in the course of a rotation: when they are run, and what their failure leads to."""

from dataclasses import replace

import pytest

from tasks.errors import Interrupted, Reverted, RotationRefused
from tasks.rollout import deploying
from tasks.rollout.events import Said
from tasks.rollout.forecast import forecast
from tasks.rollout.goal import Pace
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition
from tasks.rollout.observation import Hook
from tasks.rollout.planning import plan
from tasks.rollout.steps import AwaitDrained, RunHook, Watch
from tests.rollout.builders import HTTPS, balancer, both, goal, node, old, seen, server
from tests.simulation.world import World, refused

BEFORE, AFTER = Hook.BEFORE_ROTATE, Hook.AFTER_ROTATE
HOOKS = frozenset({BEFORE, AFTER})
FIRST = goal(generation="20260101-000000-aa", release="r1")
SECOND = goal(generation="20260202-000000-bb", release="r2", hooks=HOOKS)


def asked(hook):
    """Give the plan that consists of running one command."""
    return frozenset({RunHook(hook=hook)})


class TestPlanning:
    """When the commands are steps of the plan."""

    def test_the_rotation_waits_for_its_permission(self):
        """All new servers are ready: nothing else is done before the command was run."""
        state = seen(server(1), server(2), old(1), balancers=both(node(old(1))))

        assert plan(goal(hooks=HOOKS), state) == asked(BEFORE)

    def test_nothing_is_asked_while_servers_come_up(self):
        """The command is for a whole set of servers."""
        state = seen(server(1), server(2, Phase.TESTED), old(1), balancers=both(node(old(1))))

        assert not plan(goal(hooks=HOOKS), state) & asked(BEFORE)

    def test_a_first_deploy_asks_too(self):
        """No load balancer is made before."""
        assert plan(goal(hooks=HOOKS), seen(server(1), server(2))) == asked(BEFORE)

    def test_once_allowed_the_rotation_goes_on_as_without_a_command(self):
        """It is asked once a run, however many batches there are."""
        state = seen(server(1), server(2), old(1), balancers=both(node(old(1))))
        bag = plan(goal(hooks=HOOKS), replace(state, hooked=frozenset({BEFORE})))

        assert bag == plan(goal(), state) != frozenset()

    def test_nothing_to_rotate_needs_no_permission(self):
        """Where the goal is reached, nobody is asked."""
        new = [server(slot, Phase.SERVING) for slot in (1, 2)]
        state = seen(*new, balancers=both(*map(node, new)))

        assert plan(goal(hooks=frozenset({BEFORE})), state) == frozenset()

    def test_after_is_when_old_servers_get_no_new_requests(self):
        """They drain meanwhile: nobody waits for the command, and it waits for no connection."""
        new = [server(slot, Phase.SERVING) for slot in (1, 2)]
        state = seen(*new, old(1), balancers=both(*map(node, new), node(old(1), Condition.DRAINING)))
        bag = plan(goal(hooks=HOOKS), replace(state, hooked=frozenset({BEFORE})))

        assert bag == {RunHook(hook=AFTER), AwaitDrained(server_id="old-1")}

    def test_after_is_not_while_one_old_server_gets_requests(self):
        """One load balancer that has not let go of it is enough."""
        new = [server(slot, Phase.SERVING) for slot in (1, 2)]
        inside = [node(one) for one in new]
        https = balancer(*inside, node(old(1)), listener=HTTPS)
        state = seen(*new, old(1), balancers=(balancer(*inside), https))

        assert not plan(goal(hooks=HOOKS), replace(state, hooked=frozenset({BEFORE}))) & asked(AFTER)

    def test_after_waits_for_the_watch(self):
        """What has not proved itself may be undone yet."""
        new = [server(slot, Phase.SERVING) for slot in (1, 2)]
        state = seen(*new, balancers=both(*map(node, new)), hooked=frozenset({BEFORE}))
        wanted = goal(hooks=HOOKS, pace=Pace(batches=(2,), watch=30))

        assert plan(wanted, state) == {Watch(count=2)}
        assert plan(wanted, replace(state, proven=2)) == asked(AFTER)

    def test_a_plan_shows_each_once(self):
        """`fab plan` says when the operator's own commands are run."""
        rounds = forecast(lambda now: plan(SECOND, now), SECOND, seen(held=False))
        commands = [step.hook for bag in rounds for step in bag if isinstance(step, RunHook)]

        assert commands == [BEFORE, AFTER]


@pytest.fixture
def live():
    """Give a cloud on which the first generation serves, and a record of the commands that are run."""
    world = World()
    deploying.deploy(FIRST, world.site())
    world.said.clear()
    return world


def answering(world, hook, problem):
    """Let one command find a problem; give who served, and what was told, at each run."""
    runs = []

    def hooked(which, about):
        runs.append((which, world.serving(), about))
        return problem if which == hook else ""

    world.hooked = hooked
    return runs


class TestDeploying:
    """What becomes of a deploy."""

    def test_each_is_run_at_its_moment(self, live):
        """Before, the old servers serve and alone; after, the new ones do."""
        runs = answering(live, "", "")
        deploying.deploy(SECOND, live.site())
        (first, before, told), (second, after, _) = runs

        assert (first, second) == (BEFORE, AFTER)
        assert all("aa" in name for name in before)
        assert all("bb" in name for name in after)
        assert (told["DEPLOY_RELEASE"], told["DEPLOY_GENERATION"]) == ("r2", SECOND.generation)
        assert len(told["DEPLOY_SERVERS"].split()) == len(told["DEPLOY_PRIVATE_IPS"].split()) == 2
        assert told["DEPLOY_VIRTUAL_IPS"]

    def test_a_refusal_changes_nothing(self, live):
        """The new servers are deleted, the old ones serve on, and the error says whose command it was."""
        before = live.names()
        answering(live, BEFORE, "`smoke` exited 1")
        with pytest.raises(RotationRefused, match=r"hooks\.before_rotate did not allow the rotation: `smoke` exited 1"):
            deploying.deploy(SECOND, live.site())

        assert live.names() == live.serving() == before
        assert RotationRefused.exit_code == 4

    def test_a_refused_deploy_can_be_tried_again(self, live):
        """When the command has been satisfied, the next deploy goes through."""
        runs = answering(live, BEFORE, "no")
        with pytest.raises(RotationRefused):
            deploying.deploy(SECOND, live.site())
        live.hooked = lambda *_: ""
        deploying.deploy(SECOND, live.site())

        assert len(runs) == 1
        assert all("bb" in name for name in live.serving())

    def test_a_failure_afterwards_is_said_and_changes_nothing(self, live):
        """The deploy is done."""
        answering(live, AFTER, "`purge` exited 7")
        deploying.deploy(SECOND, live.site())
        said = [event.text for event in live.said if isinstance(event, Said)]

        assert "hooks.after_rotate failed, which changes nothing: `purge` exited 7" in said
        assert all("bb" in name for name in live.serving())

    def test_ctrl_c_during_the_command_is_undone_like_any_other(self, live):
        """Whoever finds the command to take too long loses nothing."""
        before = live.names()
        live.fault = lambda call: Interrupted("stopped") if call == f"hook {BEFORE}" else None
        with pytest.raises(Interrupted):
            deploying.deploy(SECOND, live.site())

        assert live.names() == live.serving() == before

    def test_an_undone_rotation_runs_nothing_afterwards(self, live):
        """`after_rotate` tells of new servers that serve, and there are none."""
        runs = answering(live, "", "")
        live.fault = refused("add lb-shop-test-https")
        with pytest.raises(Reverted):
            deploying.deploy(SECOND, live.site())

        assert [hook for hook, _, _ in runs] == [BEFORE]

    def test_without_commands_none_is_run(self, live):
        """The default."""
        runs = answering(live, BEFORE, "no")
        deploying.deploy(replace(SECOND, hooks=frozenset()), live.site())

        assert runs == []
