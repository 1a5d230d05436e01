"""The first and the last words of a rollback."""

import io

from rich.console import Console

from tasks.report.going_back import announce_return, show_returned
from tasks.report.status import State
from tasks.rollout.returning import way_back
from tests.report.kept import parked, serving_after
from tests.rollout.builders import OLD, both, goal, node, old, seen, server


def shown(act):
    """Give what is printed, as one line."""
    console = Console(file=io.StringIO(), width=200, no_color=True)
    act(console)
    return console.file.getvalue()


BEFORE = parked(old(1, name="shop-test-x-1"))
NEW = serving_after(server(1), old(1))


def test_a_rollback_says_where_it_goes():
    """Which release, on which servers, and that migrations are not undone."""
    back = way_back(seen(BEFORE, NEW, balancers=both(node(NEW))))
    printed = shown(lambda console: announce_return(back, goal(generation=OLD, release="r1"), console))

    assert printed.splitlines() == [
        "Going back from release r2 to release r1, on the servers that were kept: x-1.",
        "Migrations are not undone: this release meets the schema of the later one.",
    ]


def test_a_rollback_on_new_servers_says_so():
    """Where none are kept, or they are not wanted, it is a deploy of the previous release."""
    back = way_back(seen(BEFORE, NEW, balancers=both(node(NEW)))).redeployed
    printed = shown(lambda console: announce_return(back, goal(generation="g", release="r1"), console))

    assert "to release r1, on 2 new servers, generation g." in printed


def test_after_a_rollback_the_way_forth_is_named():
    """Who serves, and, while the later servers are kept, what puts them in again."""
    went_back = seen(old(1), parked(NEW), balancers=both(node(old(1))))
    state = State(app="shop", environment="test", cloud="acme", seen=went_back)
    printed = shown(lambda console: show_returned(state, console))

    assert "1 server serves, release r1" in printed
    assert "`fab rotate` puts the servers of release r2 in again." in printed


def test_after_a_rollback_without_kept_servers_only_a_deploy_is_named():
    """What is gone is not offered."""
    state = State(app="shop", environment="test", cloud="acme", seen=seen(old(1), balancers=both(node(old(1)))))
    printed = shown(lambda console: show_returned(state, console))

    assert "`fab deploy` brings a new release." in printed
    assert "fab rotate" not in printed
