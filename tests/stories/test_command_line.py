"""What can be typed, and what is said when it is wrong."""

import json
import re

import pytest

from tests.stories.operators import Operator

TASKS = {
    "deploy", "plan", "status", "doctor", "setup", "migrate", "test", "check", "rotate", "rollback", "abort", "reap",
    "history", "init",
    "servers.list", "servers.create", "servers.retire", "servers.console",
    "local.up", "local.down", "local.status", "local.logs", "local.fault",
}  # fmt: skip
MISTAKES = """
conut = 3
node_port = 70000

[check]
path = "healthz"
statsu = 200
"""


@pytest.mark.parametrize("program", ["fab", "inv"])
def test_the_list_of_tasks(newcomer: Operator, program: str):
    """`fab` and `inv` offer the same documented tasks, each with a line that says what it does."""
    ran = getattr(newcomer, program)("--list", "--list-format=json")
    top = json.loads(ran.stdout)
    named = {task["name"]: task["help"] for task in top["tasks"]}
    for collection in top["collections"]:
        named |= {f"{collection['name']}.{task['name']}": task["help"] for task in collection["tasks"]}

    assert set(named) == TASKS
    assert all(named.values())


def test_every_task_has_help(newcomer: Operator):
    """The help of every task says what it does, and explains each of its options in words."""
    for task in sorted(TASKS):
        shown = newcomer.manages("--help", task).stdout
        docstring, _, options = shown.partition("Options:\n")
        silent = [line for line in options.splitlines() if line.startswith("  -") and not re.search(r"\S  +\S", line)]

        assert docstring.split("Docstring:\n")[1].strip() not in {"", "none"}, task
        assert options, task
        assert silent == [], task


def test_all_mistakes_at_once(newcomer: Operator):
    """Settings that are wrong exit 2 and list every mistake with its key's path; no cloud is started."""
    ran = newcomer.with_settings(MISTAKES).fab("deploy")

    assert ran.code == 2
    assert "conut: there is no such key; did you mean count?" in ran.stderr
    assert "check.statsu: there is no such key; did you mean status?" in ran.stderr
    assert "node_port: " in ran.stderr
    assert "check.path: " in ran.stderr
    assert "Traceback" not in ran.text
    assert newcomer.local_status()["running"] is False


def test_a_count_that_is_no_count(newcomer: Operator):
    """A value on the command line is checked like one in the file."""
    ran = newcomer.fab("deploy", "--count", "0")

    assert ran.code == 2
    assert "count: " in ran.stderr


def test_a_release_that_is_not_there(newcomer: Operator):
    """A release that is neither built nor a git revision exits 3 and is named; no server is created."""
    ran = newcomer.fab("deploy", "--release", "no-such-release")

    assert ran.code == 3
    assert "no-such-release" in ran.stderr
    assert "Traceback" not in ran.text
    assert newcomer.cloud().servers() == {}


@pytest.mark.parametrize("task", ["plan", "status", "servers.list", "reap"])
def test_looking_starts_nothing(newcomer: Operator, task: str):
    """Looking at a site does not start the local cloud."""
    newcomer.manages(task)

    assert newcomer.local_status()["running"] is False
