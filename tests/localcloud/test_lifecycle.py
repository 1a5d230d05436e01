"""up, down, status and logs, on real daemons."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.localcloud.daemons import LocalCloud, alive, eventually, local_cloud

STATUS = {
    "running",
    "state_dir",
    "clouds_yaml",
    "auth_url_v2",
    "auth_url_v3",
    "region",
    "username",
    "api_key",
    "password",
    "project",
    "control_url",
    "control_token",
}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """Give a cloud that is not running."""
    with local_cloud(tmp_path / "state") as stopped:
        yield stopped


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Give a running cloud that no test ends."""
    with local_cloud(tmp_path_factory.mktemp("running") / "state") as started:
        started.up("--region", "LON")
        yield started


def boot_server(cloud: LocalCloud, name: str = "web") -> str:
    """Boot a server; gives its id."""
    nova = cloud.nova()
    image = cloud.session().get("/images", endpoint_filter={"service_type": "image"}).json()["images"][0]
    server = nova.servers.create(name, image["id"], "general1-1")
    assert eventually(lambda: (seen := nova.servers.get(server.id)).status != "BUILD" and seen.status) == "ACTIVE"
    return str(server.id)


def test_status_tells_how_to_reach_it(running: LocalCloud):
    """`status --json` has exactly the documented keys, all with values while the cloud runs."""
    status = running.status()

    assert set(status) == STATUS
    assert status["running"] is True
    assert status["region"] == "LON"
    assert None not in status.values()


def test_status_of_a_cloud_that_does_not_run(cloud: LocalCloud):
    """The same keys with null values when the cloud does not run; asking creates nothing."""
    status = cloud.status()

    assert set(status) == STATUS
    assert {name for name, value in status.items() if value is None} == STATUS - {"running", "state_dir"}
    assert not cloud.state_dir.exists()


def test_up_when_it_runs_already(running: LocalCloud):
    """A second up succeeds, says so, and changes nothing."""
    before = running.status()
    again = running.run("up")

    assert again.returncode == 0
    assert "running already" in again.stdout
    assert running.status() == before
    assert len(running.daemons()) == 1


def test_two_ups_at_the_same_time(cloud: LocalCloud):
    """Two simultaneous ups both succeed, with one daemon."""
    starting = [subprocess.Popen(cloud.command("up", "--json"), stdout=subprocess.PIPE) for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in starting]

    assert answers[0] == answers[1]
    assert len(cloud.daemons()) == 1


def test_secrets_are_the_owners_alone(running: LocalCloud):
    """Password, API key and control token are in files of mode 0600, in no log, and not in what people are shown."""
    status = running.status()
    secrets = {status["password"], status["api_key"], status["control_token"]}
    shown = running.run("status").stdout + running.run("logs").stdout

    assert not any(secret in shown for secret in secrets)
    files = [path for path in running.state_dir.iterdir() if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert running.state_dir.stat().st_mode & 0o777 == 0o700


def test_logs_show_requests_and_consoles(cloud: LocalCloud):
    """`logs` gives the API requests and each server's console; --server NAME one console alone."""
    cloud.up()
    boot_server(cloud, "web-1")
    everything = cloud.run("logs").stdout
    console = cloud.run("logs", "--server", "web-1").stdout
    unknown = cloud.run("logs", "--server", "web-2")

    assert "==> API requests: " in everything
    assert "==> console of web-1: " in everything
    assert "login:" in console
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "those with a console: web-1" in unknown.stderr


def test_logs_can_be_followed(running: LocalCloud):
    """With --follow new lines appear as they are written."""
    with subprocess.Popen(running.command("logs", "--follow"), stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout
        assert any("GET /identity/v3 200" in line for line in following.stdout)
        running.nova(region="LON").flavors.get("general1-2")
        assert any("GET /compute/v2.1/flavors/general1-2 200" in line for line in following.stdout)
        for child in psutil.Process(following.pid).children():
            child.terminate()


def test_down_leaves_nothing(cloud: LocalCloud):
    """After down there is no process, mount, file or state directory, and down once more does no harm."""
    cloud.up()
    boot_server(cloud)
    processes = cloud.processes()
    assert len(processes) > 3
    first, second = cloud.run("down"), cloud.run("down")

    assert (first.returncode, first.stdout) == (0, "The local cloud has ended; nothing of it is left.\n")
    assert (second.returncode, second.stdout) == (0, "No local cloud was running.\n")
    assert alive(processes) == []
    assert not cloud.state_dir.exists()
    assert str(cloud.state_dir) not in Path("/proc/self/mountinfo").read_text()


def test_nothing_outlives_a_killed_daemon(cloud: LocalCloud):
    """A kill -9 of the daemon ends every server and Envoy, and down removes what is left of it."""
    cloud.up()
    boot_server(cloud)
    processes = cloud.processes()
    processes[0].send_signal(signal.SIGKILL)
    eventually(lambda: not alive(processes))

    assert cloud.status()["running"] is False
    assert "what an earlier one had left behind is removed" in cloud.run("down").stdout
    assert not cloud.state_dir.exists()


def test_the_cloud_of_an_up_that_was_killed(cloud: LocalCloud):
    """When up is killed before its cloud answers, the next up waits for that cloud and finds it running."""
    with subprocess.Popen(cloud.command("up")) as first:
        started = eventually(cloud.daemons)
        first.kill()
    status = cloud.up()

    assert status["running"] is True
    assert cloud.daemons() == started


def test_up_after_a_kill_begins_anew(cloud: LocalCloud):
    """After kill -9 an up starts a new cloud with new credentials and without the old servers."""
    before = cloud.up()
    boot_server(cloud)
    processes = cloud.processes()
    processes[0].send_signal(signal.SIGKILL)
    eventually(lambda: not alive(processes[:1]))
    after = cloud.up()

    assert after["password"] != before["password"]
    assert cloud.nova().servers.list() == []


def test_two_clouds_do_not_meet(cloud: LocalCloud, running: LocalCloud):
    """Clouds of different state directories have different networks, and end independently."""
    cloud.up()
    networks = [re.findall(r"127\.\d+", one.status()["auth_url_v3"])[0] for one in (cloud, running)]
    cloud.run("down")

    assert networks[0] != networks[1]
    assert running.status()["running"] is True


def test_a_start_that_fails_says_why(cloud: LocalCloud):
    """When the daemon cannot start, up fails with the reason and the log's last lines, and nothing runs."""
    limited = ["prlimit", "--nofile=8", *cloud.command("up")]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert "Too many open files" in done.stderr
    assert cloud.daemons() == []


@pytest.mark.parametrize("command", ["up", "down"])
def test_somebody_elses_directory(tmp_path: Path, command: str):
    """A directory with other files is refused, on stderr with exit code 1, and stays as it is."""
    (tmp_path / "thesis.txt").write_text("dear reader")
    done = LocalCloud(state_dir=tmp_path).run(command)

    assert (done.returncode, done.stdout) == (1, "")
    assert "choose another --state-dir" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_warning_reaches_who_types_up(cloud: LocalCloud):
    """Without namespaces up warns on stderr, also when that cloud runs already."""
    warnings = [cloud.run("up", *more).stderr for more in (["--isolation", "processes"], [])]

    assert "plain processes" in warnings[0]
    assert warnings[1] == warnings[0]


@pytest.mark.parametrize(
    "arguments", [["--ssh-port", "0"], ["--pending-seconds", "-1"], ["--isolation", "hope"], ["--colour"]]
)
def test_usage(cloud: LocalCloud, arguments: list[str]):
    """A wrong option is a usage error, exit code 2, and starts nothing."""
    assert cloud.run("up", *arguments).returncode == 2
    assert not cloud.state_dir.exists()
