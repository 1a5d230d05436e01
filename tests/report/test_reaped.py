"""Left-overs, as people and as programs read them."""

import io
from datetime import timedelta

from rich.console import Console

from tasks.report.reaped import Reaped, as_json, show
from tasks.rollout.model import Spare
from tasks.rollout.reaping import LeftOver
from tasks.rollout.steps import Discard, RetireServer
from tests.report.kept import NOW

SERVER = LeftOver(
    kind="server", name="shop-test-a-1", why="in no rotation (ready)", since=NOW - timedelta(hours=3),
    step=RetireServer(server_id="i"),
)  # fmt: skip
KEYPAIR = LeftOver(
    kind="keypair", name="[red]shop", why="no server uses it", since=None,
    step=Discard(spare=Spare(kind="keypair", id="k", name="shop")),
)  # fmt: skip


def text(reaped):
    """Give what is printed."""
    console = Console(file=io.StringIO(), width=80, no_color=True)
    show(reaped, console)
    return console.file.getvalue()


def test_left_overs_are_listed_with_age_and_reason():
    """By the cloud's clock; where the cloud does not tell an age, that is said. Names are no markup."""
    lines = [" ".join(line.split()) for line in text(Reaped(now=NOW, found=(SERVER, KEYPAIR))).splitlines()]

    assert lines == [
        "Left over Age Name Why",
        "server 3 h shop-test-a-1 in no rotation (ready)",
        "keypair ? [red]shop no server uses it",
        "",
        "1 server, 1 keypair: `fab reap --yes` deletes them.",
    ]


def test_what_was_deleted_is_not_offered_again():
    """The last line says what became of it."""
    assert text(Reaped(now=NOW, found=(SERVER, SERVER), is_deleted=True)).endswith("\n2 servers deleted.\n")


def test_nothing_left_over_is_said():
    """An empty table would leave one wondering."""
    assert text(Reaped(now=NOW)) == "Nothing is left over.\n"


def test_the_json_has_the_same_facts():
    """Age in seconds and the time itself; null where nobody tells."""
    assert as_json(Reaped(now=NOW, found=(SERVER, KEYPAIR))) == {
        "deleted": False,
        "left_overs": [
            {
                "kind": "server",
                "name": "shop-test-a-1",
                "why": "in no rotation (ready)",
                "since": "2026-01-01T09:01:00Z",
                "age_seconds": 10800,
            },
            {
                "kind": "keypair",
                "name": "[red]shop",
                "why": "no server uses it",
                "since": None,
                "age_seconds": None,
            },
        ],
    }
