"""One event of every kind, and every kind of fact, for specifications of what is told of them."""

from tasks.errors import CommandFailed, Interrupted, Reverted, WrongHostKey
from tasks.outcomes import Outcome
from tasks.rollout.events import (
    Begun,
    Ended,
    Failed,
    Finished,
    Observed,
    Planned,
    Requested,
    Reverting,
    Said,
    Started,
)
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition, ServerStatus
from tasks.rollout.observation import BuildDied, Distrusted, Drained, Gone, Held, Hook, HookRan, Moment, Probed, Watched
from tasks.rollout.steps import (
    AddNodes,
    CreateServer,
    GiveUp,
    GiveUpRoom,
    ProbeOld,
    RunHook,
    SetCondition,
    SetUp,
    Watch,
    WatchBuilds,
)
from tests.rollout.builders import balancer, goal, node, old, seen, server

ABOUT = {
    "cloud": "local",
    "owner": "ops@laptop",
    "process": "boot:1:42:7",
    "settings": {"app": "shop", "count": 2},
}
DEAD = server(2, Phase.BOOTING, status=ServerStatus.ERROR, fault="No valid host was found")
FACTS = (
    server(1),
    DEAD,
    balancer(node(old(1))),
    Gone(server_id="old-1"),
    BuildDied(slot=2),
    Distrusted(server_id="new-1", error=WrongHostKey("another key", server="shop-1")),
    Drained(server_id="old-1", cut=3),
    Held(generation="g", others=(old(1),), balancers=()),
    Probed(server_id="old-1", moment=Moment.AFTER, problem="answered 500"),
    Watched(count=2),
    HookRan(hook=Hook.AFTER_ROTATE),
)
SET_UP = SetUp(server_id="new-1")
DRAIN = SetCondition(balancer="shop-test-http", addresses=frozenset({"10.0.1.1"}), condition=Condition.DRAINING)
BROKEN = CommandFailed(server="shop-1", stage="set up", command="50-app", exit_code=2, tail="no space left")


def begun(at=10.0, verb="deploy", **changes):
    """Give the beginning of a deploy."""
    return Begun(at=at, verb=verb, goal=goal(**changes), about=ABOUT)


def ended(at=20.0, outcome=Outcome.DONE, error=None):
    """Give the end of a run."""
    return Ended(at=at, outcome=outcome, error=error)


def every_kind():
    """Give a run in which everything happens that can be told of."""
    steps = (
        GiveUp(slot=2, fault="ERROR"),
        GiveUpRoom(missing=1),
        Watch(count=2),
        CreateServer(slot=1),
        RunHook(hook=Hook.BEFORE_ROTATE),
    )
    add = AddNodes(balancer="shop-test-http", addresses=frozenset({"10.0.2.1"}), port=8000)
    return [
        begun(),
        Observed(at=10.1, seen=seen(old(1))),
        Planned(at=10.2, rounds=lambda: (frozenset({CreateServer(slot=1)}), frozenset({SET_UP, add}))),
        Requested(
            at=10.3, api="compute", method="POST", path="/v2.1/servers", status=202, seconds=0.12345
        ),
        *(Started(at=11, step=step) for step in (*steps, ProbeOld(server_id="old-1", moment=Moment.BEFORE), DRAIN)),
        Finished(at=12, step=WatchBuilds(server_ids=frozenset({"new-1", "new-2"})), facts=FACTS),
        Failed(at=13, step=SET_UP, error=BROKEN),
        Failed(at=13.5, step=add, error=Interrupted("stopped")),
        Reverting(at=14, reason=BROKEN.problem),
        Said(at=15, text="asking again in 2 s"),
        ended(16, Outcome.REVERTED, Reverted("no", advice="Look at it.")),
    ]  # fmt: skip
