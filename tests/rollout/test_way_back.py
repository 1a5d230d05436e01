"""What a rollback goes back to."""

import pytest

from tasks.errors import SettingsError
from tasks.rollout.labels import Predecessor
from tasks.rollout.returning import way_back
from tests.report.kept import parked, serving_after
from tests.rollout.builders import OLD, both, node, old, seen, server

NEW = serving_after(server(1), old(1))


def test_kept_servers_are_gone_back_to():
    """Whose release it was, who serves now, and who is put back."""
    back = way_back(seen(parked(old(1)), NEW, balancers=both(node(NEW))))

    assert back.previous == Predecessor(OLD, "r1", 1)
    assert back.serving == (NEW,)
    assert [server.id for server in back.parked] == ["old-1"]


def test_without_kept_servers_the_release_is_known_all_the_same():
    """It is noted on the servers that serve."""
    back = way_back(seen(NEW, balancers=both(node(NEW))))

    assert (back.previous.release, back.parked) == ("r1", ())


def test_kept_servers_need_not_be_used():
    """Whoever wants new ones gets the previous release on them."""
    back = way_back(seen(parked(old(1)), NEW, balancers=both(node(NEW))))

    assert (back.redeployed.previous, back.redeployed.parked) == (back.previous, ())


@pytest.mark.parametrize(
    ("servers", "nodes", "words"),
    [
        ((), (), "nothing serves"),
        ((old(1),), (old(1),), "nothing served before generation"),
        ((old(1), NEW), (old(1), NEW), "both serve: a deploy is at work, or was interrupted"),
    ],
)
def test_where_there_is_no_way_back_it_is_said(servers, nodes, words):
    """With what to type instead."""
    with pytest.raises(SettingsError, match=words) as told:
        way_back(seen(*servers, balancers=both(*map(node, nodes))))

    assert "`fab " in told.value.advice
