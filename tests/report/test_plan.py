"""The plan and the first and last words of a deploy, as an operator reads them."""

import io
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from tasks.release.model import Release
from tasks.report import plan as plan_report
from tasks.report.status import State
from tasks.report.summary import Records, announce, show_summary
from tasks.report.wording import WORDS, Names, doing, done, planned
from tasks.rollout import steps
from tasks.rollout.forecast import forecast
from tasks.rollout.model import Condition
from tasks.rollout.planning import plan
from tests.rollout.builders import HTTP, both, goal, node, old, seen

RELEASE = Release(
    id="3f9a12bc44de", app="shop", label="v1.2+changes", path=Path("/x"), size=12_300_000, has_wheels=False,
    python="3.11", platform="linux_x86_64", note="no wheels for linux_riscv64: servers install from the index",
)  # fmt: skip

RECORDS = Records(
    journal=Path("/j/journal.jsonl"), known_hosts=Path("/j/known_hosts"), ssh=lambda address: f"ssh ops@{address}"
)


def shown(act):
    """Give what `act` prints on a console of 80 columns."""
    console = Console(file=io.StringIO(), width=80, no_color=True)
    act(console)
    return console.file.getvalue()


def test_a_plan_lists_every_change_in_order():
    """What is deleted is named, and from which line on old servers are touched."""
    before = seen(old(1, name="shop-test-old-1"), balancers=both(node(old(1))))
    wanted = goal(count=1)
    rounds = forecast(partial(plan, wanted), wanted, before)
    printed = shown(lambda console: plan_report.show_plan(rounds, wanted, before, console))
    lines = printed.splitlines()

    assert lines[0] == "A deploy of shop to test would build release r2 on 1 new server and delete 1; 1 "
    touched = next(number for number, line in enumerate(lines) if "from here on old servers" in line)
    assert any("add to http: " in line for line in lines[:touched])
    assert any("delete old-1" in line for line in lines[touched:])
    assert "only the new servers are deleted" in printed


def test_a_plan_of_a_first_deploy_touches_nothing_old():
    """Nothing serves yet, and the plan does not speak of it."""
    wanted = goal(count=1)
    rounds = forecast(partial(plan, wanted), wanted, seen())
    printed = shown(lambda console: plan_report.show_plan(rounds, wanted, seen(), console))

    assert "old servers" not in printed
    assert "create load balancer http on port 80" in printed


def test_the_announcement_says_when_there_are_no_wheels():
    """Servers that install from the index need one: the operator is told before they are built."""
    printed = shown(lambda console: announce(goal(), RELEASE, console))

    assert "release 3f9a12bc44de (v1.2+changes, 12.3 MB)" in printed.replace("\n", " ")
    assert "no wheels for linux_riscv64" in printed


def test_the_summary_is_what_a_person_needs():
    """The address to open, who serves, how long it took, and what to type next."""
    one = old(1, name="shop-test-a-1")
    state = State(app="shop", environment="test", cloud="local", seen=seen(one, balancers=both(node(one))))
    stages = {"boot": 0.5, "set up": 3.25}
    printed = shown(lambda console: show_summary(state, RELEASE, stages, RECORDS, console))

    assert "Open      http://192.0.2.1:80/  http://192.0.2.1:443/" in printed
    assert "Stages    boot 0.5 s · set up 3.2 s" in printed
    assert "a-1" in printed
    assert "fab local.down" in printed
    assert "no wheels" in printed
    assert "Host keys /j/known_hosts" in printed
    assert "Log in    ssh ops@10.0.1.1" in printed


def test_the_summary_of_sealed_servers_offers_no_login():
    """Nobody is told to try what cannot work."""
    one = old(1, sealed=True)
    state = State(app="shop", environment="test", cloud="local", seen=seen(one, balancers=both(node(one))))
    printed = shown(lambda console: show_summary(state, RELEASE, {}, RECORDS, console))

    assert "Log in    nobody can: the servers are sealed" in printed


def _example(kind):
    fields = {
        "slot": 1, "fault": "x", "server_ids": frozenset({"i"}), "server_id": "i", "balancer": "b",
        "addresses": frozenset({"10.0.0.1"}), "port": 1, "condition": Condition.DRAINING, "listener": HTTP,
        "share_with": None,
    }  # fmt: skip
    return kind(**{name: fields[name] for name in kind.__dataclass_fields__})


@pytest.mark.parametrize("kind", steps.Step.__args__, ids=lambda kind: kind.__name__)
def test_every_step_has_words(kind):
    """Whatever the planner wants can be said before, while and after it is done."""
    step, name = _example(kind), Names(prefix="shop-test-", servers={"i": "shop-test-web"})

    assert kind in WORDS
    assert all("{" not in say(step, name) for say in (doing, done, planned))
