"""The state of a site, as people read it."""

import io
import re
from dataclasses import replace

from rich.console import Console

from tasks.report.status import MOST_CONSOLE, State, addresses, print_console, show
from tasks.report.status_json import as_json
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition, NodeStatus
from tasks.rollout.outlook import Outlook
from tests.report.kept import NOW, claim, parked, serving_after
from tests.rollout.builders import HTTP, HTTPS, balancer, both, node, old, seen, server


def state(*servers, balancers=()):
    """Give a state."""
    return State(app="shop", environment="test", cloud="acme", seen=seen(*servers, balancers=balancers))


def text(given, width=80):
    """Give what `status` prints."""
    console = Console(file=io.StringIO(), width=width, no_color=True)
    show(given, console)
    return console.file.getvalue()


def test_sealed_servers_are_shown_as_such():
    """Programs find the phase and the seal apart; people read the one that tells more."""
    given = state(old(1, sealed=True))

    assert [(one["phase"], one["sealed"]) for one in as_json(given)["servers"]] == [("serving", True)]
    assert re.search(r"ACTIVE +sealed +r1", text(given))


def test_a_node_of_nobody_has_no_server():
    """Foreign nodes are shown, and told apart."""
    foreign = old(9)
    given = state(old(1), balancers=[balancer(node(old(1)), node(foreign))])

    assert [entry["server_id"] for entry in as_json(given)["load_balancers"][0]["nodes"]] == ["old-1", None]
    assert "(not ours, left alone)" in text(given)


def test_a_draining_node_does_not_count_as_rotation():
    """In rotation is who gets new requests."""
    one = old(1)
    given = state(one, balancers=[balancer(node(one, Condition.DRAINING, NodeStatus.ONLINE))])

    assert not as_json(given)["servers"][0]["in_rotation"]
    assert "0 servers serve" in text(given)


def test_parked_servers_are_shown_as_such():
    """In the table, and in a sentence with what puts them back; also at the end of a rotation."""
    before, new = parked(old(1)), serving_after(server(1), old(1))
    printed = text(state(before, new, balancers=both(node(new))))

    assert re.search(r"ACTIVE +parked +r1 +no", printed)
    assert "1 server of release r1, out of rotation, kept until 2026-01-01 12:30 UTC:" in printed
    assert "`fab rollback` puts it back." in " ".join(printed.split())


def test_what_is_going_on_stands_above_the_tables():
    """Who is at work is read before anything else."""
    given = replace(state(old(1)), outlook=Outlook(now=NOW, at_work=(claim(),)))
    lines = text(given).splitlines()

    assert (
        next(line for line in lines[1:] if line)
        == "The deploy of ada@laptop is at work: begun 60 s ago, last heartbeat 50 s ago."
    )
    assert max(map(len, lines)) <= 80


def test_the_tables_fit_80_columns():
    """An operator sees the whole state in an ordinary terminal."""
    one = old(1, name="shop-test-20260101-000000-aa-1", private_ip="10.176.100.100")
    printed = text(state(one, balancers=both(node(one))))

    assert max(map(len, printed.splitlines())) <= 80
    assert "shop in test on acme: 1 server serves, release r1" in printed
    assert "20260101-000000-aa-1" in printed


def test_nothing_says_what_to_do():
    """Before the first deploy, the command is named."""
    assert "`fab deploy` makes some" in text(state())


def test_addresses_name_scheme_and_port():
    """What to open in a browser, in the order of the ports."""
    assert addresses(seen(balancers=[balancer(listener=HTTPS), balancer(listener=HTTP)])) == [
        "http://192.0.2.1:80/",
        "http://192.0.2.1:443/",
    ]


def test_a_console_cannot_move_the_cursor(capsys):
    """Colours and escape sequences that a server prints do not reach the operator's terminal; the words do."""
    print_console("[  \x1b[0;32mOK\x1b[0m  ] ready\x1b[2J\x07\r\n\tok\x1b]52;c;cm0=\x07\n\x1b]8;;http://evil\x1b\\here")

    assert capsys.readouterr().out == "[  OK  ] ready\n        ok\nhere\n"


def test_of_a_long_console_the_end_is_shown(capsys):
    """Of a console log of megabytes the last lines are printed, and how much was left out."""
    print_console("x" * 100 + "\n" + "a line\n" * (MOST_CONSOLE // 7) + "the end")

    printed = capsys.readouterr().out
    assert re.match(r"… \(\d+ characters before these are left out\)\n", printed)
    assert printed.endswith("a line\nthe end\n")
    assert len(printed) < MOST_CONSOLE + 100


def test_a_name_is_no_markup():
    """What the cloud calls things is shown as it is, also where it looks like markup: no colours, no links."""
    named = replace(old(1), name="[link=http://evil]web[/link]")
    printed = text(state(named, balancers=[replace(balancer(node(named)), name="[red]http")]))

    assert printed.count("[link=http://evil]web[/link]") == 2
    assert "[red]http" in printed


def test_a_state_as_it_stands_at_80_columns():
    """Who serves what since when, who is at work, every server, every node with condition and status, foreign ones."""
    one, coming = old(1, name="shop-test-a-1"), server(1, Phase.SET_UP, name="shop-test-b-1")
    nodes = [node(one), node(old(9), Condition.DISABLED, NodeStatus.OFFLINE)]
    given = replace(state(one, coming, balancers=[balancer(*nodes)]), outlook=Outlook(now=NOW, at_work=(claim(),)))

    assert [line.rstrip() for line in text(given).splitlines()] == [
        "shop in test on acme: 1 server serves, release r1",
        "on servers made 2026-01-01 00:00 UTC, 12 h ago",
        "",
        "The deploy of ada@laptop is at work: begun 60 s ago, last heartbeat 50 s ago.",
        "",
        "Server  Private IP  Status  Phase    Release  In rotation",
        "b-1     10.0.2.1    ACTIVE  set-up   r2       no",
        "a-1     10.0.1.1    ACTIVE  serving  r1       yes",
        "",
        "http://192.0.2.1:80/  shop-test-http (ACTIVE)",
        "10.0.1.1:8000    ENABLED     ONLINE     a-1",
        "10.0.1.9:8000    DISABLED    OFFLINE    (not ours, left alone)",
    ]
