"""Several operators want the claim, again and again, and every interleaving of their calls can happen."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import DeployError
from tests.rollout.builders import old
from tests.rollout.taking_turns import Cloud, Turns, claimant


class Contest:
    """Some operators who want the claim, again and again, and what each of them did while it had it."""

    def __init__(self, random, *, slow=0.0, least=1):
        self._random = random
        self._slow = slow
        self._least = least
        self.changed = []
        self.cloud = Cloud(old(1), old(2), turns=Turns(), delay=self._delay, lag=lambda: random.uniform(0.0, 0.5))

    def _delay(self):
        slow = self._random.random() < self._slow
        return self._random.uniform(5.0, 70.0) if slow else self._random.uniform(0.0, 0.4)

    def run(self, operators, tries):
        """Let so many operators try so often."""
        self.cloud.turns.run(*(lambda name=name: self._operate(name, tries) for name in "abc"[:operators]))

    def _operate(self, name, tries):
        for number in range(tries):
            self.cloud.turns.pause(self._random.uniform(0.0, 3.0 if number == 0 else 90.0))
            mine = claimant(self.cloud, f"{name}{number}")
            try:
                mine.take(self._random.choice(["old-1", "old-2"]))
                self._work(mine, f"{name}{number}")
            except DeployError:
                continue

    def _work(self, mine, name):
        for _ in range(self._random.randrange(self._least, 12)):
            mine.ensure()
            self.changed.append(name)
            self.cloud.turns.pause(self._random.uniform(3.0, 10.0))
            mine.beat()
        if self._random.random() < 0.5:
            mine.withdraw()

    @property
    def shifts(self):
        """Give who was at work, one after another."""
        return [name for name, before in zip(self.changed, [None, *self.changed], strict=False) if name != before]


@given(random=st.randoms(use_true_random=False), operators=st.integers(2, 3), slow=st.sampled_from([0.0, 0.02, 0.1]))
def test_at_most_one_holds_the_claim(random, operators, slow):
    """Whatever calls take, whoever dies: nobody who holds it changes anything after another one has."""
    contest = Contest(random, slow=slow)

    contest.run(operators, tries=3)

    assert len(contest.shifts) == len(set(contest.shifts))


@given(random=st.randoms(use_true_random=False), operators=st.integers(1, 3))
def test_exactly_one_goes_on(random, operators):
    """Those who begin together, on a cloud that answers: one gets the claim, the others are refused."""
    contest = Contest(random, least=10)

    contest.run(operators, tries=1)

    assert len(contest.shifts) == 1
