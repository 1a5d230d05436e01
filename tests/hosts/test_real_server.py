"""All stages on a real server of the local cloud, with the real bootstrap scripts and the sample app."""

from dataclasses import replace
from pathlib import Path

import pytest
import requests

from tasks.errors import CommandFailed
from tasks.hosts.access import SshAccess
from tasks.hosts.app import AppCommands, Check
from tasks.hosts.console_trust import ConsoleKeys
from tasks.hosts.fabric_hosts import FabricHosts, Sources
from tasks.hosts.keys import deploy_key
from tasks.hosts.known_hosts import KnownHosts
from tasks.hosts.trust import Trust
from tasks.localcloud.machines.spec import Isolation
from tasks.release.build import build
from tasks.release.model import Source, Target
from tasks.waiting import Patience, WallClock
from tests.hosts.conftest import a_server
from tests.hosts.machines import machines

ROOT = Path(__file__).parents[2]
APP = AppCommands(
    node_port=8000,
    migrate="python manage.py migrate --noinput",
    test="python manage.py test --noinput",
    processes={
        "web": 'gunicorn guestbook.wsgi --bind "$PRIVATE_IP:$NODE_PORT"',
        "worker": "python manage.py run_worker",
    },
    env={"GREETING": "it's"},
    check=Check(path="/healthz", deadline=60.0),
)


@pytest.fixture(scope="module", params=[Isolation.NAMESPACES, Isolation.PROCESSES])
def deployed(request, tmp_path_factory):
    """Bring the sample app through all stages on a server; gives the hosts, the server and what was printed."""
    folder = tmp_path_factory.mktemp("cloud")
    printed = []
    with machines(folder, request.param) as cloud:
        spec = cloud.boot()
        source = Source(app="guestbook", path=ROOT / "tests" / "sample_app")
        release = build(source, Target.here(), folder / "cache")
        trust = Trust(ConsoleKeys(cloud.console, WallClock()), [KnownHosts(folder / "state" / "known_hosts")])
        sources = Sources(scripts=ROOT / "bootstrap_scripts", artifact=lambda _: release, trust=trust)
        access = SshAccess(port=2222, key_file=deploy_key(folder / "state").path, patience=Patience(limit=30.0))
        hosts = FabricHosts(
            access=access, app=APP, sources=sources, clock=WallClock(), on_output=lambda *line: printed.append(line)
        )  # fmt: skip
        server = replace(a_server(spec.private_ip, release=release.id), id=spec.id)
        hosts.set_up(server)
        hosts.migrate(server)
        hosts.test(server)
        hosts.check(server)
        yield hosts, server, printed
        hosts.close()


def test_the_app_answers_with_its_release(deployed):
    """After all stages the app answers on the private IP, and names the release and the server."""
    _, server, _ = deployed
    answer = requests.get(f"http://{server.private_ip}:8000/healthz", timeout=5).json()

    assert (answer["release"], answer["server"]) == (server.labels.release, "web-1")


def test_the_apps_own_tests_ran(deployed):
    """The app's own unit tests ran on the server, and the operator saw how they ended."""
    _, _, printed = deployed
    lines = [line for _, stage, line in printed if stage == "test"]

    assert "OK" in lines


def test_all_stages_can_be_repeated(deployed):
    """Every stage may run again on a server that has passed it: set-up, migrations and check."""
    hosts, server, _ = deployed
    hosts.set_up(server)
    hosts.migrate(server)
    hosts.check(server)


def test_open_connections_are_counted(deployed):
    """A client that holds a connection is counted until it hangs up."""
    hosts, server, _ = deployed
    url = f"http://{server.private_ip}:8000/healthz"
    with requests.Session() as client:
        client.get(url, timeout=5)
        assert hosts.connections(server) == 1


def test_a_failing_command_tells_its_end(deployed):
    """A command that fails on a real server tells its exit code and what it printed last."""
    hosts, server, _ = deployed
    hosts = FabricHosts(
        access=hosts._access, app=replace(APP, migrate='echo "$GREETING $PWD"; exit 3'), sources=hosts._sources,
        clock=WallClock(), on_output=lambda *_: None,
    )  # fmt: skip

    with pytest.raises(CommandFailed) as failed:
        hosts.migrate(server)
    hosts.close()

    assert failed.value.command_exit_code == 3
    assert failed.value.tail.startswith("it's /")
