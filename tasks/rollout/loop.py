"""The loop: plan what can be done now, start it, take in what was seen, plan again, until nothing is left.

Steps run side by side, each server at its own pace; two steps with the same subject never do. The loop knows no
threads: `Workers` run the steps, so that a simulation can run them one at a time in any order.
"""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from tasks.errors import RolloutError
from tasks.rollout.events import Failed, Finished, Listen, Started
from tasks.rollout.observation import Fact, Observation
from tasks.rollout.steps import RetireServer, Step, in_order
from tasks.waiting import Clock

Perform = Callable[[Step, Observation], tuple[Fact, ...]]
Planner = Callable[[Observation], frozenset[Step]]

# A step may be planned again when the world has moved meanwhile, such as a node that went OFFLINE; not for ever.
MOST_REPEATS = 25


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a step ended: with what was seen, or with an error."""

    step: Step
    facts: tuple[Fact, ...] = ()
    error: Exception | None = None


class Workers(Protocol):
    """Whatever runs steps."""

    def start(self, step: Step, seen: Observation) -> None:
        """Begin a step; returns at once."""

    def next(self) -> Outcome:
        """Wait for the next step to end."""


class ThreadWorkers:
    """Runs each step in a thread. The steps wait for clouds and servers, so threads cost little."""

    def __init__(self, perform: Perform, *, most: int = 64) -> None:
        self._perform = perform
        self._pool = ThreadPoolExecutor(max_workers=most, thread_name_prefix="step")
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    def start(self, step: Step, seen: Observation) -> None:
        """Begin a step in a thread of its own."""
        self._pool.submit(self._run, step, seen)

    def next(self) -> Outcome:
        """Wait for the next step to end. Ctrl-C interrupts the wait, not the step."""
        return self._outcomes.get()

    def close(self) -> None:
        """Let the threads go; nothing may be running any more."""
        self._pool.shutdown(wait=False)

    def _run(self, step: Step, seen: Observation) -> None:
        try:
            outcome = Outcome(step=step, facts=self._perform(step, seen))
        except Exception as error:  # noqa: BLE001  handed to the loop, which raises it in the main thread
            outcome = Outcome(step=step, error=error)
        self._outcomes.put(outcome)


class Loop:
    """Holds what was seen so far, and pursues plans."""

    def __init__(self, seen: Observation, *, workers: Workers, clock: Clock, listen: Listen) -> None:
        self.seen = seen
        self._workers = workers
        self._clock = clock
        self._listen = listen
        self._running: dict[str, Step] = {}
        self.failed: Step | None = None
        """The step that `pursue` has raised the error of."""
        self.doomed: set[str] = set()
        """Ids of the servers whose deletion was begun: they may be listed for a while, and are of no use any more."""

    def pursue(self, planner: Planner) -> None:
        """Perform what the planner wants until it wants nothing.

        :raises Exception: the error of the first step that failed; others may still be running, see `settle`.
        """
        repeats: Counter[Step] = Counter()
        while True:
            for step in in_order(planner(self.seen)):
                if step.subject not in self._running:
                    self._start(step, repeats)
            if not self._running:
                return
            outcome = self._take()
            if outcome.error is not None:
                self.failed = outcome.step
                raise outcome.error

    def perform(self, bag: frozenset[Step]) -> None:
        """Perform these steps once, side by side, all to their end.

        :raises Exception: the error of the first step that failed.
        """
        for step in in_order(bag):
            self._start(step, Counter())
        errors = self.settle()
        if errors:
            raise errors[0]

    def settle(self) -> list[Exception]:
        """Wait until nothing runs, taking in what was seen; give the errors."""
        errors = []
        while self._running:
            outcome = self._take()
            if outcome.error is not None:
                errors.append(outcome.error)
        return errors

    def _start(self, step: Step, repeats: Counter[Step]) -> None:
        repeats[step] += 1
        if repeats[step] > MOST_REPEATS:
            raise RolloutError(f"{step} was done {MOST_REPEATS} times and is still needed; something undoes it")
        self._running[step.subject] = step
        if isinstance(step, RetireServer):
            self.doomed.add(step.server_id)
        self._listen(Started(at=self._clock.now(), step=step))
        self._workers.start(step, self.seen)

    def _take(self) -> Outcome:
        outcome = self._workers.next()
        del self._running[outcome.step.subject]
        self.seen = self.seen.updated(*outcome.facts)
        at = self._clock.now()
        if outcome.error is None:
            self._listen(Finished(at=at, step=outcome.step, facts=outcome.facts))
        else:
            self._listen(Failed(at=at, step=outcome.step, error=outcome.error))
        return outcome
