"""`python -m tasks.localcloud fault`, as people type it."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tasks.localcloud.faults.names import FaultName
from tests.localcloud.daemons import LocalCloud, local_cloud


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    """Give a cloud that runs."""
    with local_cloud(tmp_path_factory.mktemp("faults") / "state") as cloud:
        cloud.up("--isolation", "processes")
        yield cloud


@pytest.fixture(autouse=True)
def good_days(running: LocalCloud):
    """Clear all faults after each test."""
    yield
    assert running.run("fault", "--clear").returncode == 0


def test_a_fault_is_armed_and_listed(running: LocalCloud):
    """What was typed is armed, said, and listed with its strikes; the list names all that there is."""
    typed = ("build-dies", "--times", "2", "--seconds", "1.5", "--match", "web", "--after", "1")
    armed = running.run("fault", *typed)
    listed = running.run("fault", "--list").stdout
    sentence = "build-dies: 2 times, 1.5 s, only 'web', after 0 of 1 occasions; struck 0 times"

    assert (armed.returncode, armed.stdout) == (0, f"Armed: {sentence}\n")
    assert listed.splitlines()[0].strip() == sentence
    assert all(name in listed for name in FaultName)


def test_one_fault_is_cleared_or_all(running: LocalCloud):
    """`--clear NAME` forgets those of that name, `--clear` all; each says how many."""
    for name in ("build-dies", "api-500", "api-503"):
        running.run("fault", name)

    assert running.run("fault", "--clear", "api-500").stdout == "1 cleared.\n"
    assert running.run("fault", "--clear").stdout == "2 cleared.\n"
    assert running.run("fault", "--list").stdout.splitlines()[0].strip() == "nothing"


def test_a_mistyped_name_is_answered_with_the_right_one(running: LocalCloud):
    """Exit code 1, and the sentence names the nearest fault."""
    done = running.run("fault", "bild-dies")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("local cloud: there is no fault 'bild-dies'. Did you mean build-dies?")


def test_a_number_that_makes_no_sense_is_refused(running: LocalCloud):
    """Exit code 1, and the sentence says which."""
    done = running.run("fault", "api-500", "--times", "-1")

    assert done.returncode == 1
    assert "times" in done.stderr


def test_a_cloud_that_does_not_run_has_no_faults(tmp_path: Path):
    """Exit code 1, and the sentence says what to do."""
    done = LocalCloud(state_dir=tmp_path / "state").run("fault", "--list")

    assert done.returncode == 1
    assert "no local cloud runs in" in done.stderr
    assert "`up`" in done.stderr


def test_status_opens_the_control_api(running: LocalCloud):
    """`status --json` has all that a program needs to steer the cloud."""
    status = running.status()
    url = urlsplit(status["control_url"])
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    connection.request("GET", f"{url.path}/faults", headers={"Authorization": f"Bearer {status['control_token']}"})
    answer = connection.getresponse()

    assert (answer.status, json.loads(answer.read())["faults"]) == (200, [])
    connection.close()


def test_the_help_names_every_fault(running: LocalCloud):
    """Nobody has to read the source to find out what can be asked for."""
    shown = running.run("fault", "--help").stdout

    assert [name for name in FaultName if name not in shown] == []
