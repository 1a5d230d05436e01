"""The CI examples run as they are written: every line of theirs but the installation, on the local cloud."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from tests.stories.operators import CHECKOUT, LONGEST, Operator

EXAMPLES = CHECKOUT / "examples"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a CI runs: scripts one after another up to the first that fails, then what cleans up, and its variables.

    :param cleaning: run in any case, with `status` of the job; GitHub's own condition is not evaluated here.
    """

    scripts: tuple[str, ...]
    cleaning: str
    variables: dict[str, str]
    status: Callable[[bool], dict[str, str]]


def github(folder: Path) -> Job:
    """Give the job of the GitHub example: each step is a shell of its own; the last one runs after a failure only."""
    job = yaml.safe_load((EXAMPLES / "ci" / "github-actions.yml").read_text())["jobs"]["deploy"]
    steps = [step for step in job["steps"] if "run" in step]
    assert [step["name"] for step in steps if "pip install" in step["run"]] == ["Install"]
    assert [step["name"] for step in steps if "if" in step] == [steps[-1]["name"]]
    scripts = tuple(step["run"] for step in steps[1:-1])
    return Job(scripts=scripts, cleaning=steps[-1]["run"], variables={"RUNNER_TEMP": str(folder)}, status=lambda _: {})


def gitlab(folder: Path) -> Job:
    """Give the job of the GitLab example: its script is one shell, its after_script another that always runs."""
    job = yaml.safe_load((EXAMPLES / "ci" / "gitlab-ci.yml").read_text())["deploy"]
    assert all("pip install" in line for line in job["before_script"])
    return Job(
        scripts=("\n".join(job["script"]),),
        cleaning="\n".join(job["after_script"]),
        variables={"CI_JOB_ID": f"{folder.name}-{os.getpid()}"},
        status=lambda succeeded: {"CI_JOB_STATUS": "success" if succeeded else "failed"},
    )


@pytest.fixture(params=[github, gitlab], ids=["github", "gitlab"])
def job(request: pytest.FixtureRequest, tmp_path: Path) -> Job:
    """Give each job."""
    return request.param(tmp_path)


@pytest.fixture
def app(newcomer: Operator) -> Operator:
    """Give the owner of an app with a Procfile, in its repository."""
    folder = newcomer.folder / "app"
    shutil.copytree(EXAMPLES / "procfile", folder)
    with (folder / "deploy.toml").open("a") as settings:
        settings.write("[environments.production]\ncount = 1\n")
    return replace(newcomer, checkout=folder, settings=folder / "deploy.toml")


def bash(operator: Operator, script: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as both CIs do: with bash, up to the first command that fails."""
    path = f"{operator.programs}:{os.environ['PATH']}"
    environment = {**operator.environment, **variables, "CI": "true", "PATH": path}
    del environment["DEPLOY_FILE"]
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=operator.checkout, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST
    )


def run(job: Job, operator: Operator) -> list[subprocess.CompletedProcess[str]]:
    """Run a job to its end, clean-up included where its CI would run it, and give what ran."""
    ran = []
    for script in job.scripts:
        ran.append(bash(operator, script, job.variables))
        if ran[-1].returncode != 0:
            break
    succeeded = all(one.returncode == 0 for one in ran)
    if not succeeded or job.status(succeeded):
        ran.append(bash(operator, job.cleaning, job.variables | job.status(succeeded)))
    return ran


def test_the_steps_deploy(job: Job, app: Operator):
    """The job succeeds where nothing serves yet: a server behind two load balancers, which are made."""
    ran = run(job, app)
    status = app.status()

    assert [one.returncode for one in ran] == [0] * len(ran), ran[-1].stderr
    assert [one["in_rotation"] for one in status["servers"]] == [True]
    assert [len(balancer["nodes"]) for balancer in status["load_balancers"]] == [1, 1]


def test_a_step_that_fails_leaves_nothing_behind(job: Job, app: Operator):
    """The job fails, its new server is deleted, and the one that serves goes on."""
    app.manages("deploy")
    serving = app.status()["servers"]
    with app.settings.open("a") as settings:
        settings.write('commands.test = "echo this is wrong; false"\n')
    ran = run(job, app)

    assert (ran[-2].returncode, ran[-1].returncode) == (4, 0), ran[-1].stderr
    assert "this is wrong" in ran[-2].stderr
    assert app.status()["servers"] == serving
