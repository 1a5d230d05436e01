"""Somebody who is not root, with a fresh clone."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stories.conftest import an_operator
from tests.stories.leftovers import leftovers
from tests.stories.operators import CHECKOUT, Operator

PYTHON = "/usr/bin/python3"
NOBODY = 65534
NEW_ENOUGH = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
NOT_CLONED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "deploy.toml")


def why_not() -> str:
    """Say what keeps this machine from having such a user; empty when nothing does."""
    if os.getuid() != 0:
        return "only root can become another user; the other stories run as an ordinary one already"
    if shutil.which("setpriv") is None:
        return "there is no setpriv"
    if subprocess.run([PYTHON, "-c", NEW_ENOUGH], capture_output=True, check=False).returncode != 0:
        return f"{PYTHON} is not Python 3.11 or newer with venv"
    return ""


@pytest.fixture
def somebody(caches: Path) -> Iterator[Operator]:
    """Give an operator without privileges, with a copy of the checkout and an environment of their own."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with an_operator(caches) as someone:
        checkout, home = someone.folder / "clone", someone.folder / "home"
        shutil.copytree(CHECKOUT, checkout, ignore=NOT_CLONED)
        home.mkdir()
        own(someone.folder)
        as_nobody = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env", f"HOME={home}")
        programs = checkout / ".venv/bin"
        yield replace(someone, checkout=checkout, caches=home / ".cache", programs=programs, prefix=as_nobody)


def own(folder: Path) -> None:
    """Make a folder and everything in it somebody's, readable for all."""
    folder.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


@pytest.mark.timeout(400)
def test_a_deploy_without_root(somebody: Operator):
    """The line that the README starts with installs, deploys and ends again for a user without any privilege."""
    install = f"{PYTHON} -m venv .venv && .venv/bin/pip install --quiet -e '.[local]'"
    command = [*somebody.prefix, "sh", "-c", install]
    subprocess.run(command, cwd=somebody.checkout, env=somebody.environment, check=True, timeout=300)
    ran = somebody.fab("deploy")

    assert ran.code == 0, ran.text
    assert "warning" not in ran.text
    cloud = somebody.cloud()
    assert {cloud.page().server for _ in range(4)} == set(cloud.servers())
    assert len(cloud.servers()) == 2
    somebody.manages("local.down")
    assert leftovers(somebody.folder) == []
