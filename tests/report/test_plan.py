"""The plan and the first and last words of a deploy, as an operator reads them."""

import io
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from tasks.release.model import Release
from tasks.report.plan import show_plan
from tasks.report.progress import Figures
from tasks.report.status import State
from tasks.report.summary import Records, announce, show_summary
from tasks.report.wording import WORDS, Names, doing, done, planned
from tasks.rollout import steps
from tasks.rollout.forecast import forecast
from tasks.rollout.foreseeing import Foreseen
from tasks.rollout.goal import Bounds, Pace
from tasks.rollout.labels import NOBODY, Predecessor
from tasks.rollout.model import Condition, Spare
from tasks.rollout.observation import Hook, Moment
from tasks.rollout.planning import plan
from tasks.rollout.resuming import Interruption, Way
from tests.report.kept import claim, parked, serving_after
from tests.rollout.builders import HTTP, OLD, balancer, both, goal, node, old, seen, server

RELEASE = Release(
    id="3f9a12bc44de", app="shop", label="v1.2+changes", path=Path("/x"), size=12_300_000, has_wheels=False,
    python="3.11", platform="linux_x86_64", note="no wheels for linux_riscv64: servers install from the index",
)  # fmt: skip

RECORDS = Records(
    journal=Path("/j/journal.jsonl"), known_hosts=Path("/j/known_hosts"), ssh=lambda address: f"ssh ops@{address}"
)

FIGURES = Figures(stages={"boot": 0.5, "set up": 3.25}, claimed=4.5)


def shown(act):
    """Give what `act` prints on a console of 80 columns."""
    console = Console(file=io.StringIO(), width=80, no_color=True)
    act(console)
    return console.file.getvalue()


def foreseen(wanted, before, **changes):
    """Give what a deploy would do from there."""
    return Foreseen(goal=wanted, seen=before, rounds=forecast(partial(plan, wanted), wanted, before), **changes)


def plan_of(wanted, before, **changes):
    """Give what `plan` prints."""
    return shown(lambda console: show_plan(foreseen(wanted, before, **changes), console))


def test_a_plan_lists_every_change_in_order():
    """What is deleted is named, and from which line on old servers are touched."""
    before = seen(old(1, name="shop-test-old-1"), balancers=both(node(old(1))))
    printed = plan_of(goal(count=1), before)
    lines = printed.splitlines()

    assert lines[0] == "A deploy of shop to test would build release r2 on 1 new server and delete 1; 1 "
    touched = next(number for number, line in enumerate(lines) if "from here on old servers" in line)
    assert any("add to http: " in line for line in lines[:touched])
    assert any("delete old-1" in line for line in lines[touched:])
    assert "only the new servers are deleted" in printed


def test_a_plan_of_a_first_deploy_touches_nothing_old():
    """Nothing serves yet, and the plan does not speak of it."""
    printed = plan_of(goal(count=1), seen())

    assert "old servers" not in printed
    assert "create load balancer http on port 80" in printed


def test_a_plan_says_how_the_rotation_proceeds():
    """Batches, the watch after each, and for how long the old servers are kept."""
    before = seen(old(1), balancers=both(node(old(1))))
    wanted = goal(pace=Pace(batches=(1, 2), watch=30, standby=1800.0), previous=Predecessor(OLD, "r1", 1))
    lines = plan_of(wanted, before).splitlines()

    assert "In rotation: 1, then 2 new servers, watched for 30 s each time." in lines
    assert "The old servers are kept for 30 min for `fab rollback`." in lines
    assert [line[7:] for line in lines if "watch " in line] == ["watch 1 new server", "watch 2 new servers"]
    assert lines[-5].endswith("park shop-1")


def test_a_plan_without_batches_does_not_speak_of_them():
    """What is not asked for is not explained."""
    printed = plan_of(goal(count=1), seen())

    assert "In rotation:" not in printed
    assert "kept" not in printed


def test_a_plan_that_cannot_be_carried_out_says_so():
    """Where there is no room, the plan ends with what the deploy would fail of."""
    one = old(1)
    before = seen(one, balancers=both(node(one)))
    tight = goal(count=1, bounds=Bounds(floors={"shop-test-http": 1, "shop-test-https": 1}, servers=1))
    printed = plan_of(tight, before)

    assert "fail: no room for 1 more new server, and no old one can leave before" in printed
    assert "It could not go on from there" in printed.replace("\n", " ")


@pytest.mark.parametrize(
    ("onward", "words"),
    [
        (Way.RESUME, "It would go on with the interrupted deploy of ada@laptop"),
        (Way.UNDO, "It would undo the interrupted deploy of ada@laptop first."),
        (Way.FRESH, "It would take away what the interrupted deploy of ada@laptop has left"),
    ],
)
def test_a_plan_says_what_it_makes_of_an_interrupted_deploy(onward, words):
    """Whose it was, and whether it is gone on with, undone, or taken away."""
    found = Interruption(claim=claim(), servers=(server(1),), previous=NOBODY)
    first = (frozenset({steps.RetireServer(server_id="new-2")}),)
    printed = plan_of(goal(count=1), seen(server(1)), found=found, onward=onward, first=first)
    lines = printed.splitlines()

    assert words in printed.replace("\n", " ")
    assert lines.index("       -- what was interrupted --") < lines.index("       -- the deploy --")
    assert "    1  delete new-2" in lines


def test_a_plan_says_that_somebody_is_at_work():
    """It would stop, and what waits is named."""
    printed = plan_of(goal(count=1), seen(), at_work=(claim("rotate"),))

    assert "Not now: the rotate of ada@laptop is at work (`--wait` waits for it)." in printed


def test_the_announcement_says_when_there_are_no_wheels():
    """Servers that install from the index need one: the operator is told before they are built."""
    printed = shown(lambda console: announce(goal(), RELEASE, console))

    assert "release 3f9a12bc44de (v1.2+changes, 12.3 MB)" in printed.replace("\n", " ")
    assert "no wheels for linux_riscv64" in printed


def summary(*servers, balancers=(), figures=FIGURES):
    """Give what a deploy prints in the end."""
    state = State(app="shop", environment="test", cloud="local", seen=seen(*servers, balancers=balancers))
    return shown(lambda console: show_summary(state, RELEASE, figures, RECORDS, console))


def test_the_summary_is_what_a_person_needs():
    """The address to open, who serves, how long it took, and what to type next."""
    one = old(1, name="shop-test-a-1")
    printed = summary(one, balancers=both(node(one)))

    assert "Open      http://192.0.2.1:80/  http://192.0.2.1:443/" in printed
    assert "Stages    boot 0.5 s · set up 3.2 s" in printed
    assert "Claim     held for 4.5 s" in printed
    assert "a-1" in printed
    assert "fab local.down" in printed
    assert "no wheels" in printed
    assert "Host keys /j/known_hosts" in printed
    assert "Log in    ssh ops@10.0.1.1" in printed


def test_the_summary_counts_builds_that_were_replaced():
    """A cloud that builds badly is noticed also when all went well in the end; otherwise there is nothing to say."""
    assert "Builds    1 build was of no use" in summary(figures=Figures(stages={}, replaced=1))
    assert "Builds    2 builds were of no use" in summary(figures=Figures(stages={}, replaced=2))
    assert "Builds" not in summary()


def test_the_summary_names_the_rollback_while_old_servers_are_kept():
    """Which release it goes back to, and until when."""
    before, new = parked(old(1)), serving_after(server(1), old(1))

    assert "fab rollback    go back to release r1, kept until 2026-01-01 12:30 UTC" in summary(
        before, new, balancers=both(node(new))
    )
    assert "fab rollback" not in summary(new, balancers=both(node(new)))


def test_the_summary_of_sealed_servers_offers_no_login():
    """Nobody is told to try what cannot work."""
    one = old(1, sealed=True)

    assert "Log in    nobody can: the servers are sealed" in summary(one, balancers=both(node(one)))


def _example(kind):
    fields = {
        "slot": 1, "fault": "x", "server_ids": frozenset({"i"}), "server_id": "i", "balancer": "b",
        "addresses": frozenset({"10.0.0.1"}), "port": 1, "condition": Condition.DRAINING, "listener": HTTP,
        "share_with": None, "moment": Moment.BEFORE, "missing": 2, "count": 2, "hook": Hook.BEFORE_ROTATE,
        "spare": Spare(kind="keypair", id="k", name="k"),
    }  # fmt: skip
    return kind(**{name: fields[name] for name in kind.__dataclass_fields__})


@pytest.mark.parametrize("kind", steps.Step.__args__, ids=lambda kind: kind.__name__)
def test_every_step_has_words(kind):
    """Whatever the planner wants can be said before, while and after it is done."""
    step, name = _example(kind), Names(prefix="shop-test-", servers={"i": "shop-test-web"})

    assert kind in WORDS
    assert all("{" not in say(step, name) for say in (doing, done, planned))


def test_a_plan_as_it_stands_at_80_columns():
    """Counts, names, room, every step, and until when nothing that serves is touched."""
    before = seen(old(1, name="shop-test-a-1"), balancers=[balancer(node(old(1)))])
    wanted = goal(count=1, listeners=(HTTP,), bounds=Bounds(floors={"shop-test-http": 1}, servers=5))

    assert plan_of(wanted, before).splitlines() == [
        "A deploy of shop to test would build release r2 on 1 new server and delete 1; 1 ",
        "serve now.",
        "Deleted: a-1.",
        "Servers: 1 now, 2 at most, 1 afterwards; the quota leaves room for 4, 3, 4 more.",
        "",
        "    1  create server 1",
        "    2  set up 20260202-000000-bbbb-1",
        "    3  run the migrations on 20260202-000000-bbbb-1",
        "    4  run the app's tests on 20260202-000000-bbbb-1",
        "    5  start the app on 20260202-000000-bbbb-1 and check it",
        "    6  add to http: 20260202-000000-bbbb-1",
        "    7  mark as serving: 20260202-000000-bbbb-1",
        "    8  ask 20260202-000000-bbbb-1 for its check once more, in rotation",
        "       -- from here on old servers are touched --",
        "    9  set DRAINING on http: a-1",
        "   10  wait until nobody is connected to a-1",
        "   11  remove from http: a-1",
        "   12  delete a-1",
        "",
        "Nothing that serves will be touched until step 9: by then new servers have ",
        "passed their checks and are ONLINE on every load balancer.",
        "If anything fails before that, only the new servers are deleted.",
    ]
