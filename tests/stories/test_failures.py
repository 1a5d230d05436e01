"""Deploys that fail: new servers go, the old ones serve on, and the operator reads why.

Exit codes 1, 3, 4 and 7 end to end; CONTRIBUTING.md says which story shows which of the others.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stories.balancers import limit_nodes
from tests.stories.operators import CHECKOUT, ONE, Operator, Ran, ended, eventually
from tests.stories.test_bad_days import struck

FAILING_TEST = """
from django.test import SimpleTestCase


class Broken(SimpleTestCase):
    def test_sums(self):
        self.assertEqual(2 + 2, 5, "two and two")
"""

A_BUG = """
from invoke.collection import Collection

from tasks.command import command


@command()
def broken(_c):
    {}["nothing"]


ns = Collection(broken)
"""


@pytest.fixture
def scripts(site: Operator) -> Iterator[Path]:
    """Give a copy of the bootstrap scripts, to be changed."""
    copy = site.folder / "scripts"
    shutil.copytree(CHECKOUT / "bootstrap_scripts", copy)
    yield copy
    shutil.rmtree(copy)


@contextmanager
def undisturbed(site: Operator) -> Iterator[None]:
    """Expect that what happens meanwhile changes neither servers nor nodes, and that the page answers afterwards."""
    cloud = site.cloud()
    before = cloud.servers().keys(), cloud.nodes()
    yield
    assert (cloud.servers().keys(), cloud.nodes()) == before
    assert {cloud.page(address).server for address in cloud.addresses()} == before[0]


def assert_failed(ran: Ran, *, stage: str) -> None:
    """Expect exit code 4, and a short message: stage, server, its console and what is left, no traceback of ours."""
    assert ran.code == 4, ran.text
    assert f"error: {stage} failed on guestbook-production-" in ran.stderr
    assert re.search(r"The console of guestbook-production-\S+ ends:\n    \S", ran.stderr), ran.stderr
    assert "Serving as before: 1 server of release " in ran.stderr
    assert len(ran.stderr.splitlines()) < 40
    assert "Traceback" not in ran.stderr.split("its last output:")[0]


@pytest.mark.both_faces
def test_a_set_up_script_that_fails(site: Operator, scripts: Path):
    """When a set-up script exits 1, the deploy exits 4 and shows server, script and the script's last lines."""
    (scripts / "15-fonts.sh").write_text("#!/bin/sh\necho looking for fonts\necho no fonts here >&2\nexit 1\n")
    with undisturbed(site):
        ran = site.with_settings(f'{ONE}bootstrap_scripts = "{scripts}"\n').fab("deploy")

    assert_failed(ran, stage="set up")
    assert "15-fonts.sh exited 1" in ran.stderr
    assert "    looking for fonts\n    no fonts here\n" in ran.stderr
    assert "undoing what was done; what served before goes on serving" in ran.stdout


def test_app_tests_that_fail(site: Operator):
    """When a unit test of the app fails on a new server, the deploy exits 4 and shows the test's own message."""
    app = site.folder / "app"
    shutil.copytree(CHECKOUT / "tests/sample_app", app, ignore=shutil.ignore_patterns("__pycache__"))
    (app / "guestbook/tests/test_sums.py").write_text(FAILING_TEST)
    with undisturbed(site):
        ran = site.with_settings(f'count = 1\nsource.path = "{app}"\n').fab("deploy")

    assert_failed(ran, stage="test")
    assert "AssertionError: 4 != 5 : two and two" in ran.stderr
    assert "FAILED (failures=1)" in ran.stderr


def test_a_check_that_is_never_passed(site: Operator):
    """When a new server does not answer its check as expected, the deploy exits 4 and shows what it answered."""
    settings = f'{ONE}check.path = "/nowhere"\ncheck.deadline = 15\n'
    with undisturbed(site):
        ran = site.with_settings(settings).fab("deploy")

    assert ran.code == 4, ran.text
    assert "was not up within 15 s" in ran.stderr
    assert "/nowhere is to answer 200, but it answered 404; the answer began:" in ran.stderr
    assert "Not Found" in ran.stderr
    assert "Traceback" not in ran.text


def test_migrations_that_fail(site: Operator):
    """When the migrations fail, the deploy exits 4, and shows server, stage and last lines."""
    settings = f'{ONE}commands.migrate = "echo no such table; false"\n'
    with undisturbed(site):
        ran = site.with_settings(settings).fab("deploy")

    assert_failed(ran, stage="migrate")
    assert "    no such table\n" in ran.stderr


@pytest.mark.both_faces
def test_a_deploy_that_can_not_go_through(site: Operator):
    """What the cloud does not have or allow is said at once, with exit code 3, before a server is created."""
    limit_nodes(site.cloud().session)
    settings = 'count = 40\nserver.image = "Nothing"\nserver.flavor = "tiny"\n'
    with undisturbed(site):
        ran = site.with_settings(settings).fab("deploy")

    assert ran.code == 3, ran.text
    assert "there is no image 'Nothing'" in ran.stderr
    assert "there is no flavor 'tiny'" in ran.stderr
    assert "a load balancer can have 25 nodes, and 40 servers are wanted" in ran.stderr
    assert "asked for" not in ran.stdout


@pytest.mark.both_faces
def test_ctrl_c(site: Operator, scripts: Path):
    """Ctrl-C while a new server is being set up ends the deploy with exit code 4, and the new server is deleted."""
    with undisturbed(site):
        deploy = setting_up(site, scripts)
        os.killpg(deploy.pid, signal.SIGINT)
        ran = ended(deploy)

    assert ran.code == 4, ran.text
    assert "stopped by Ctrl-C" in ran.stderr
    assert "Traceback" not in ran.text


@pytest.mark.both_faces
def test_a_deploy_that_was_killed(site: Operator, scripts: Path):
    """A deploy that is killed half-way leaves the old server serving; the next one removes what was left."""
    cloud = site.cloud()
    [old] = cloud.servers()
    deploy = setting_up(site, scripts)
    os.killpg(deploy.pid, signal.SIGKILL)
    ended(deploy)
    [half_made] = cloud.servers().keys() - {old}
    assert cloud.page().server == old
    site.manages("deploy")

    [new] = cloud.servers()
    assert new not in {old, half_made}
    assert cloud.page().server == new


def test_one_server_that_failed_is_kept(site: Operator):
    """With --keep-failed, the printed line logs in to it, status tells of it, deploys leave it, retire deletes it."""
    cloud = site.cloud()
    before = cloud.servers().keys()
    ran = site.with_settings(f'{ONE}commands.migrate = "echo no such table; false"\n').fab("deploy", "--keep-failed")

    assert_failed(ran, stage="migrate")
    [kept] = cloud.servers().keys() - before
    login = re.findall(r"^Log in: (.*)$", ran.stderr, re.MULTILINE)
    assert len(login) == 1, ran.stderr
    asked = [*shlex.split(login[0]), "echo it is $((40 + 2))"]
    assert subprocess.run(asked, check=True, capture_output=True, text=True).stdout == "it is 42\n"
    assert re.search(rf"{kept} \(\S+\) failed, serves nobody and is kept until ", site.manages("status").stdout)

    site.manages("deploy")
    assert kept in cloud.servers()
    assert kept not in {cloud.page(address).server for address in cloud.addresses()}
    assert site.manages("reap").stdout == "Nothing is left over.\n"
    site.manages("servers.retire", "--server", kept)
    assert kept not in cloud.servers()


def test_a_second_ctrl_c(site: Operator, scripts: Path):
    """It leaves at once with exit code 7, and says what goes on from there; what was left can be cleared away."""
    with undisturbed(site), struck(site, ["delete-hangs", "--seconds", "4"]):
        deploy = setting_up(site, scripts)
        os.killpg(deploy.pid, signal.SIGINT)
        eventually(lambda: _is_undoing(site), "the undoing to begin")
        os.killpg(deploy.pid, signal.SIGINT)
        ran = ended(deploy)
        assert ran.code == 7, ran.text
        assert "`fab abort` undoes" in ran.stderr
        assert "Traceback" not in ran.text
        site.manages("reap", "--yes")


def test_a_bug_of_ours(newcomer: Operator, tmp_path: Path):
    """It keeps its traceback, for whoever mends it, and exits 1."""
    (tmp_path / "fabfile.py").write_text(A_BUG)
    ran = replace(newcomer, checkout=tmp_path).fab("broken")

    assert ran.code == 1, ran.text
    assert ran.stderr.startswith("Traceback (most recent call last):")
    assert ran.stderr.endswith("KeyError: 'nothing'\n")


def setting_up(site: Operator, scripts: Path) -> subprocess.Popen[str]:
    """Start a deploy, and return when its new server runs a set-up script that does not end."""
    (scripts / "15-wait.sh").write_text("#!/bin/sh\necho waiting to be stopped\nexec sleep 600\n")
    earlier = set(site.deploys.rglob("*.log"))
    deploy = site.with_settings(f'{ONE}bootstrap_scripts = "{scripts}"\n').start("fab", "deploy")
    eventually(lambda: _waits(set(site.deploys.rglob("*.log")) - earlier), "the script that waits")
    return deploy


def _is_undoing(site: Operator) -> bool | None:
    latest = max(site.deploys.rglob("journal.jsonl"), key=lambda path: path.stat().st_mtime)
    lines = [json.loads(line) for line in latest.read_text().splitlines()]
    return any(line["event"] == "started" and line["step"] == "RetireServer" for line in lines) or None


def _waits(outputs: set[Path]) -> bool | None:
    return any("waiting to be stopped" in output.read_text() for output in outputs) or None
