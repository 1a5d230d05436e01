"""The app's processes: started once, kept running, stopped by a signal, back after a boot."""

import os
import signal

import pytest

from tasks.waiting import Patience, WallClock, until
from tests.bootstrap_scripts.servers import DEADLINE, FolderServer, plain_release

# Says who it is, then waits for good; at TERM it clears up for a moment, and says that it ends.
WAITING = """
trap 'ls -R /usr/share >/dev/null; echo stopped; exit 0' TERM
echo running as $$
while :; do read -r _ <>fifo; done
"""


@pytest.fixture
def ready(server: FolderServer) -> FolderServer:
    """Give a server that is set up with two processes which do nothing but wait."""
    server.push(plain_release(wait_sh=WAITING), settings={}, procfile="# two\nweb: sh wait.sh\n\nworker: sh wait.sh")
    server.set_up()
    (server.app / "release" / "app").chmod(0o777)
    os.mkfifo(server.app / "release" / "app" / "fifo")
    return server


def wait_for(what: str, look) -> None:
    """Wait until `look` gives something true."""
    until(lambda: look() or None, what=what, patience=Patience(limit=DEADLINE, longest=0.2), clock=WallClock())


def wait_until_running(server: FolderServer, times: int = 1) -> None:
    """Wait until both processes have said so many times that they run."""
    for name in ("web", "worker"):
        wait_for(f"{name} to run", lambda name=name: server.log(name).count("running as") == times)


def test_start(ready: FolderServer) -> None:
    """Start runs every process of the Procfile, and returns while they run."""
    assert ready.start().returncode == 0

    wait_until_running(ready)


def test_start_twice(ready: FolderServer) -> None:
    """A second start leaves alone what runs: one of each, the same as before."""
    ready.start()
    wait_until_running(ready)
    before = {name: ready.recorded_pid(name) for name in ("web", "worker")}

    ready.start()

    for name, pid in before.items():
        wait_for(f"one {name}", lambda name=name, pid=pid: ready.keepers(name) == [pid])
        assert ready.log(name).count("running as") == 1
        assert ready.recorded_pid(name) == pid


def test_start_what_is_missing(ready: FolderServer) -> None:
    """Start brings back the process that was stopped, and only that."""
    ready.start()
    wait_until_running(ready)
    ready.stop("worker")

    ready.start()

    wait_for("the worker", lambda: ready.log("worker").count("running as") == 2)
    assert ready.log("web").count("running as") == 1


def test_stop(ready: FolderServer) -> None:
    """SIGTERM to the recorded process reaches the app's, which ends in its own way; neither comes back."""
    ready.start()
    wait_until_running(ready)

    ready.stop("web")

    assert ready.log("web").endswith("stopped\n")
    assert ready.keepers("web") == []


def test_crash(ready: FolderServer) -> None:
    """A process that dies is started again, and the log says with which code it ended."""
    ready.start()
    wait_until_running(ready)
    crashing = int(ready.log("web").split("running as ")[1].split()[0])

    os.kill(crashing, signal.SIGKILL)

    wait_for("the web process to come back", lambda: ready.log("web").count("running as") == 2)
    assert "web ended with code 137" in ready.log("web")


def test_boot(ready: FolderServer) -> None:
    """At boot rc.local starts the app, although an init hands it no environment."""
    assert ready.boot().returncode == 0

    wait_until_running(ready)


def test_procfile_mistake(ready: FolderServer) -> None:
    """A line of the Procfile that is none is named in the error."""
    (ready.app / "Procfile").write_text("no colon here\n")

    refused = ready.start()

    assert refused.returncode == 1
    assert '"no colon here" is not NAME: COMMAND' in refused.stderr
