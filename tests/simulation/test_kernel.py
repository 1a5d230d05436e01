"""The kernel: what is due happens in its order; processes are killed, put to sleep and interrupted as real ones are."""

import pytest

from tests.rollout.builders import goal
from tests.simulation.kernel import Kernel, Killed, Process, Stuck
from tests.simulation.threads import TaskLock, beating
from tests.simulation.world import World


@pytest.fixture
def kernel():
    """Give a kernel at time 0."""
    return Kernel()


@pytest.fixture
def told():
    """Give a list for what happens."""
    return []


def sleeper(process, told, name, *pauses):
    """Give what sleeps again and again, and tells when it wakes."""

    def act():
        for seconds in pauses:
            process.kernel.after(seconds, process.wake, process.task, process.task.turn)
            process.wait()
            told.append((process.kernel.time, name))

    return act


def test_what_is_due_happens_in_its_order(kernel, told):
    """Earlier things first; at the same moment, what was asked for first."""
    for moment, name in ((2.0, "late"), (1.0, "first"), (1.0, "second")):
        kernel.after(moment, told.append, name)
    kernel.let_pass(5.0)

    assert told == ["first", "second", "late"]
    assert kernel.time == 5.0


def test_tasks_take_turns(kernel, told):
    """Each runs until it waits; nobody else sees it in between."""
    process = Process(kernel, "ann")
    process.start(sleeper(process, told, "a", 1.0, 3.0))
    process.start(sleeper(process, told, "b", 2.0, 1.0))
    kernel.let_pass(10.0)

    assert told == [(1.0, "a"), (2.0, "b"), (3.0, "b"), (4.0, "a")]


def test_who_waits_in_vain_is_told(kernel):
    """When nothing is left that could happen, the simulation says so and does not hang."""
    with pytest.raises(Stuck):
        Process(kernel, "ann").wait()


def test_a_killed_process_does_nothing_more(kernel, told):
    """Not even what it would do at its end: whatever it still tries fails."""
    process = Process(kernel, "ann")

    def act():
        try:
            process.wait()
        finally:
            with pytest.raises(Killed):
                process.wait()
            told.append("ended")

    process.start(act)
    process.start(sleeper(process, told, "b", 2.0))
    kernel.let_pass(1.0)
    process.kill()
    kernel.let_pass(5.0)

    assert told == ["ended"]


def test_a_sleeping_machine_does_later_what_was_due(kernel, told):
    """What it waited for is seen when it wakes up, as far apart as it was."""
    process = Process(kernel, "ann")
    process.start(sleeper(process, told, "a", 1.0))
    process.start(sleeper(process, told, "b", 3.0))
    process.suspend(100.0)
    kernel.let_pass(200.0)

    assert told == [(101.0, "a"), (103.0, "b")]


def test_something_can_happen_at_the_nth_wait(kernel, told):
    """So a seed can strike a process between any two of its acts."""
    process = Process(kernel, "ann")
    process.at_point[2] = process.kill
    process.start(sleeper(process, told, "a", 1.0, 1.0, 1.0))
    kernel.let_pass(10.0)

    assert told == [(1.0, "a")]


def test_a_lock_keeps_other_tasks_out(kernel, told):
    """Who has it may take it again; the next gets it when it is free."""
    process = Process(kernel, "ann")
    lock = TaskLock(process)

    def holding(name, seconds):
        with lock, lock:
            sleeper(process, told, name, seconds)()

    process.start(holding, "a", 5.0)
    process.start(holding, "b", 1.0)
    kernel.let_pass(10.0)

    assert told == [(5.0, "a"), (6.0, "b")]


def test_a_heart_beats_while_the_context_lasts(kernel, told):
    """At its end the last beat has ended, and none follows."""
    process = Process(kernel, "ann")

    def act():
        with beating(process)(lambda: told.append(process.kernel.time), 10.0):
            sleeper(process, [], "a", 35.0)()
        told.append("over")

    process.start(act)
    kernel.let_pass(100.0)

    assert told == [10.0, 20.0, 30.0, "over"]


def test_a_request_of_the_dead_is_carried_out():
    """What was sent has its effect, although nobody reads the answer."""
    world = World()
    ann = world.operator("ann")
    ann.process.at_point[1] = ann.die
    ann.start(lambda operator: operator.site.compute.create(goal().request(1)))
    world.kernel.let_pass(1.0)

    assert ann.is_done
    assert world.names() == {goal().request(1).name}


def test_calls_interleave(told):
    """Of two operators who list and create, both list before either has created."""
    world = World()

    def look_and_make(operator):
        told.append(len(operator.site.compute.servers()))
        operator.site.compute.create(goal().request(1))

    for name in ("ann", "bob"):
        world.operator(name).start(look_and_make)
    world.kernel.let_pass(5.0)

    assert told == [0, 0]
    assert len(world.servers.by_id) == 2
