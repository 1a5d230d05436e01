"""The state of a site, as programs read it."""

from datetime import UTC, datetime, timedelta

from tasks.report.status import State
from tasks.report.status_json import as_json, generation_json
from tasks.rollout.labels import NOBODY
from tasks.rollout.outlook import Interrupted, Outlook, Rotation
from tasks.rollout.resuming import Interruption, Way
from tests.report.kept import NOW, UNTIL, claim, parked, serving_after
from tests.rollout.builders import OLD, balancer, both, node, old, seen, server


def state(*servers, balancers=(), outlook=None):
    """Give a state."""
    found = seen(*servers, balancers=balancers)
    return State(app="shop", environment="test", cloud="acme", seen=found, outlook=outlook)


def test_the_json_has_the_documented_keys():
    """A program that reads `status --json` finds what the issue of the format says, and nothing else."""
    one = old(1)
    shown = as_json(state(one, balancers=[balancer(node(one))]))

    assert list(shown) == [
        "app", "environment", "cloud", "release", "generation", "since", "at_work", "interrupted", "rollback",
        "servers", "load_balancers", "foreign_nodes",
    ]  # fmt: skip
    assert list(shown["servers"][0]) == [
        "id", "name", "private_ip", "status", "phase", "release", "generation", "created", "in_rotation", "sealed",
        "parked", "kept",
    ]  # fmt: skip
    assert list(shown["load_balancers"][0]) == ["id", "name", "virtual_ips", "port", "protocol", "status", "nodes"]
    assert list(shown["load_balancers"][0]["nodes"][0]) == [
        "address", "port", "condition", "status", "weight", "server_id",
    ]  # fmt: skip


def test_the_json_names_the_release_that_serves():
    """Not the newest that exists: a generation that is being brought up serves nothing yet."""
    one = old(1)
    shown = as_json(state(one, server(1), balancers=both(node(one))))

    assert (shown["release"], shown["generation"]) == ("r1", one.labels.generation)
    assert [entry["in_rotation"] for entry in shown["servers"]] == [False, True]


def test_the_json_says_since_when():
    """When the first server of what serves now was made; a generation that is still coming up does not count."""
    one, later = old(1), old(2, created=datetime(2026, 1, 5, tzinfo=UTC))

    assert (
        as_json(state(one, later, server(1), balancers=both(node(one), node(later))))["since"] == "2026-01-01T00:00:00Z"
    )
    assert as_json(state(one))["since"] is None


def test_the_json_names_foreign_nodes():
    """Nodes at which no server of ours is, with the load balancer that has them."""
    one, other = old(1), old(9)
    shown = as_json(state(one, balancers=[balancer(node(one), node(other))]))

    assert [(found["load_balancer"], found["address"]) for found in shown["foreign_nodes"]] == [
        ("shop-test-http", "10.0.1.9")
    ]
    assert as_json(state(one, balancers=both(node(one))))["foreign_nodes"] == []


def test_the_json_of_nothing_is_empty_not_absent():
    """With no servers at all, every key is there."""
    shown = as_json(state())

    assert (shown["release"], shown["generation"], shown["servers"], shown["load_balancers"]) == (None, None, [], [])


def test_the_json_says_who_is_at_work():
    """A program that waits its turn sees whose deploy it is, and when it was last heard of."""
    given = state(outlook=Outlook(now=NOW, at_work=(claim(beat=NOW - timedelta(seconds=3)),)))

    assert as_json(given)["at_work"] == [
        {
            "verb": "deploy",
            "owner": "ada@laptop",
            "generation": OLD,
            "since": "2026-01-01T12:00:00Z",
            "heartbeat": "2026-01-01T12:00:57Z",
        }
    ]


def test_the_json_says_what_was_interrupted():
    """With what the next deploy would make of it, as `resuming` decides."""
    found = Interruption(claim=claim(), servers=(old(1),), previous=NOBODY)
    interrupted = Interrupted(found=found, rotation=Rotation.BEGUN, same=Way.RESUME, other=Way.UNDO, can_abort=True)
    shown = as_json(state(old(1), outlook=Outlook(now=NOW, interrupted=interrupted)))["interrupted"]

    assert (shown["owner"], shown["release"], shown["servers"]) == ("ada@laptop", "r1", ["old-1"])
    assert (shown["rotation"], shown["can_abort"]) == ("begun", True)
    assert shown["next_deploy"] == {"same_release": "resume", "other_release": "undo"}


def test_the_json_says_what_a_rollback_puts_back():
    """Null unless all the servers that served before are kept."""
    before, new = parked(old(1)), serving_after(server(1), old(1))
    shown = as_json(state(before, new, balancers=both(node(new))))

    assert shown["rollback"] == {"release": "r1", "generation": OLD, "servers": ["old-1"], "until": UNTIL}
    assert [one["parked"] for one in shown["servers"]] == [None, UNTIL]
    assert as_json(state(new, balancers=both(node(new))))["rollback"] is None


def test_the_json_of_a_generation_has_its_servers_alone():
    """What `servers.create --json` prints: ids for the steps that follow, in the shape that `status --json` has."""
    made = server(1)
    given = state(old(1), made)
    shown = generation_json(given, made.labels.generation)

    assert list(shown) == ["app", "environment", "cloud", "release", "generation", "servers"]
    assert (shown["release"], shown["generation"]) == (made.labels.release, made.labels.generation)
    assert shown["servers"] == [one for one in as_json(given)["servers"] if one["id"] == made.id]
