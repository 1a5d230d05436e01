"""What operators do: the verbs as the tasks run them, one after another, as people do who see how it went."""

from dataclasses import replace

from tasks.errors import DeployError
from tasks.rollout import deploying, fleet, reaping, returning
from tasks.rollout.goal import Pace
from tasks.rollout.labels import NEXT_DEPLOY
from tasks.rollout.observation import Hook
from tasks.rollout.steps import Check, Migrate, SetUp, TestApp
from tests.rollout.builders import goal

HOOKS = frozenset({Hook.BEFORE_ROTATE, Hook.AFTER_ROTATE})


class Habits:
    """What an operator's deploys are like."""

    def __init__(self, world, random, count):
        self._world = world
        self.count = count
        self.release = random.choice(("r1", "r2", "r3"))
        self.seal = random.random() < 0.1
        self.pace = Pace(
            batches=random.choice(((), (), (), (1, count))),
            watch=random.choice((0.0, 0.0, 0.0, 6.0)),
            standby=random.choice((0.0, 0.0, 30.0, 600.0, NEXT_DEPLOY)) if world.quota is None else 0.0,
        )

    def goal(self):
        """Give the goal of a new deploy."""
        generation = f"{self._world.now():%Y%m%d-%H%M%S}-{self._world.new_id()[:2]}"
        wanted = {"generation": generation, "release": self.release, "seal": self.seal, "pace": self.pace}
        wanted["hooks"] = HOOKS if self.release == "r2" else frozenset()
        return goal(self.count, self._world.listeners, **wanted)

    def goal_of(self, servers):
        """Give the goal of a generation that exists."""
        self._world.laws.lower(len(servers))
        labels = servers[0].labels
        return replace(self.goal(), generation=labels.generation, release=labels.release, count=len(servers))


def deploy(habits, site):
    """`fab deploy`."""
    return deploying.deploy(habits.goal(), site)


def by_hand(habits, site):
    """`fab servers.create setup migrate test check rotate`."""
    wanted = habits.goal()
    deploying.create(wanted, site)
    for stage in (SetUp, Migrate, TestApp, Check):
        servers = site.observe().generation(wanted.generation)
        deploying.run_stage(stage, servers[:1] if stage is Migrate else servers, wanted, site)
    return deploying.rotate(wanted, site)


def retire(habits, site):
    """`fab servers.retire`."""
    idle = fleet.idle(site.observe())
    deploying.retire(idle, habits.goal_of(idle), site)


def rotate(habits, site):
    """`fab rotate`."""
    ready = fleet.newest_ready(site.observe(), release=None, count=None)
    return deploying.rotate(habits.goal_of(ready), site)


def rollback(habits, site):
    """`fab rollback`: to the parked servers if there are any, else the last release is deployed."""
    parked = returning.parked_before(site.observe())
    return returning.rollback(habits.goal_of(parked), site) if parked else deploy(habits, site)


def abort(habits, site):
    """`fab abort`."""
    return returning.abort(habits.goal(), site)


def reap(habits, site):
    """`fab reap --yes`."""
    return reaping.reap(habits.goal(), site)


def day(habits, random):
    """Give a day's work: a deploy mostly, and some time later whatever comes next, however it went."""
    verbs = [random.choice((deploy, deploy, deploy, deploy, deploy, by_hand, rotate, rollback, rollback, reap))]
    while random.random() < 0.4:
        verbs.append(random.choice((deploy, deploy, rollback, rotate, abort, reap, retire)))

    def work(operator):
        for verb in verbs:
            operator.run(verb, habits)
            operator.clock.pause(random.expovariate(1 / 30))

    return work


def in_peace(habits):
    """Give the work of somebody who deploys; where there is no room for that, he finishes and tidies up first."""

    def work(operator):
        operator.run(deploy, habits)
        if _lacks_room(operator.runs[-1].error):
            for verb in (rotate, reap, deploy):
                operator.run(verb, habits)

    return work


def _lacks_room(error):
    return isinstance(error, DeployError) and any(word in error.problem for word in ("quota", "limit", "room"))
