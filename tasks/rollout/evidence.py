"""What is found out about a failure before anything is undone: which server it struck, and how its console ends.

Only looks, and never adds to a failure: what can not be read is said in its place. Refuses to know how it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasks.errors import CloudError, DeployError, HostError, RolloutError
from tasks.plain import printable
from tasks.rollout.goal import Goal
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Observation
from tasks.rollout.ports import Compute
from tasks.rollout.steps import Keep, OnServer, OnSlot, RetireServer, Step

CONSOLE_LINES = 10
"""So many lines of a console log are kept, those without a word left out."""
_LINE_LENGTH = 200


def struck(step: Step | None, goal: Goal, seen: Observation) -> Server | None:
    """Give the new server at which a rollout failed, by the step that failed; None where it was at none."""
    new = seen.generation(goal.generation)
    match step:
        case OnServer():
            return next((server for server in new if server.id == step.server_id), None)
        case OnSlot():
            return next((server for server in new if server.labels.slot == step.slot), None)
        case _:
            return None


def console_of(server: Server, failure: DeployError, compute: Compute) -> str:
    """Give the end of a server's console log under a heading, or why there is none; "" where it tells nothing.

    It tells something of what a server did, not of a cloud that does not answer.
    """
    if not isinstance(failure, HostError | RolloutError):
        return ""
    try:
        log = compute.console(server.id)
    except CloudError as error:
        return f"The console of {server.name} could not be read: {error.problem}"
    lines = [printable(line, _LINE_LENGTH) for line in log.splitlines()[-50 * CONSOLE_LINES :]]
    told = [line for line in lines if line.strip()][-CONSOLE_LINES:]
    if not told:
        return f"The console of {server.name} shows nothing."
    return "\n".join([f"The console of {server.name} ends:", *(f"    {line}" for line in told)])


def worth_keeping(server: Server | None, goal: Goal) -> str:
    """Give the id of a server that is to be kept for somebody to look at: one that runs; "" where none is."""
    runs = server is not None and server.status is ServerStatus.ACTIVE
    return server.id if server and runs and goal.keep_failed else ""


def sparing(server_id: str, bag: Iterable[Step]) -> frozenset[Step]:
    """Give the steps by which that server is kept, once it is out of rotation, and not deleted."""
    end = RetireServer(server_id=server_id)
    return frozenset(Keep(server_id=server_id) if step == end else step for step in bag)
