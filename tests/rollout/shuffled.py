"""Performs plans as the loop does, but with steps that end in any order and show what is expected of them."""

from tasks.errors import QuotaExceeded
from tasks.rollout.forecast import CannotGoOn, expected
from tasks.rollout.loop import Loop, Outcome


class Shuffled:
    """Workers whose running steps end in an order that `random` chooses; each is shown to `law` before it is done.

    `truth` is what is there; `acts` counts the steps that were done.
    """

    def __init__(self, goal, truth, *, random, law):
        self._goal = goal
        self._random = random
        self._law = law
        self._running = []
        self.truth = truth
        self.acts = 0

    def start(self, step, _seen):
        """Begin a step."""
        self._running.append(step)

    def next(self):
        """End one of the running steps."""
        step = self._running.pop(self._random.randrange(len(self._running)))
        self.acts += 1
        try:
            facts = expected(step, self._goal, self.truth)
        except CannotGoOn:
            return Outcome(step=step, error=QuotaExceeded("no room"))
        after = self.truth.updated(*facts)
        self._law(step, self.truth, after)
        self.truth = after
        return Outcome(step=step, facts=facts)


class Still:
    """A clock on which nothing takes time."""

    def now(self):
        """Give the one moment that there is."""
        return 0.0


def pursue(planner, goal, seen, *, random, law=lambda *_: None):
    """Pursue a goal to its end, and give what is there then and how many steps it took.

    :raises QuotaExceeded: the planner gave up.
    """
    workers = Shuffled(goal, seen, random=random, law=law)
    loop = Loop(seen, workers=workers, clock=Still(), listen=lambda _event: None)
    loop.pursue(planner)
    return workers.truth, workers.acts
