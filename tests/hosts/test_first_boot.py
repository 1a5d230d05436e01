"""Waiting for servers that set themselves up. Over real SSH, with a folder for the server's root."""

import pytest

from tasks.errors import CommandFailed, HostError
from tasks.hosts.app import AppCommands, Deadlines
from tasks.hosts.injected import Bootstrap
from tests.hosts.conftest import Room, a_server

MARKS = "var/lib/disposable-servers"
BOOT = "run/disposable-servers"


def mark(room: Room, path: str, text: str = "") -> None:
    """Leave a file on the server, as its first boot does."""
    file = room.sshd.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def first_boot_done(room: Room) -> None:
    """Leave what a first boot leaves whose scripts have all run."""
    mark(room, f"{BOOT}/first-boot")
    mark(room, f"{MARKS}/bootstrap.done", "0\n")


def reboot(room: Room) -> None:
    """Boot the server again: what lies in memory is gone, and so are the connections."""
    for name in ("first-boot", "started"):
        (room.sshd.root / BOOT / name).unlink(missing_ok=True)
    room.sshd.drop_connections()


def with_cloud_init(room: Room, script: str) -> None:
    """Install and run cloud-init, which answers like this."""
    room.sshd.path = room.folder / "programs"
    room.sshd.path.mkdir()
    (room.sshd.path / "cloud-init").write_text(f"#!/bin/sh\n{script}\n")
    (room.sshd.path / "cloud-init").chmod(0o755)
    mark(room, "run/cloud-init/status.json")


@pytest.fixture
def cron(room):
    """Give a room whose servers are set up by cron, with one script of each kind."""
    room.bootstrap = Bootstrap.CRON
    room.script("10-machine.sh", "echo machine\n")
    room.script("50-release.sh", "echo release\n")
    return room


@pytest.fixture
def cloud_init(cron):
    """Give a room whose servers are set up by cloud-init."""
    cron.bootstrap = Bootstrap.CLOUD_INIT
    return cron


def test_push_has_no_first_boot_to_wait_for(room):
    """Where all is pushed, nothing is waited for: the server is not even logged in to."""
    assert not room.hosts().awaits_reboot(room.server)
    assert room.sshd.logins == 0


def test_cron_wants_a_reboot(cron):
    """A server is waited for until its machine scripts have run by cron; then it wants a reboot."""
    cron.clock.then = lambda: first_boot_done(cron)

    assert cron.hosts().awaits_reboot(cron.server)
    assert cron.clock.time > 0


@pytest.mark.parametrize("rc_local_has_run", [False, True])
def test_a_server_that_was_rebooted_wants_no_other(cron, rc_local_has_run):
    """In a later boot no reboot is wanted, whether or not rc.local has run in it by now."""
    first_boot_done(cron)
    reboot(cron)
    if rc_local_has_run:
        mark(cron, f"{BOOT}/started")

    assert not cron.hosts().awaits_reboot(cron.server)


def test_set_up_goes_on_after_rc_local(cron):
    """After the reboot set-up waits for rc.local, over a new connection, and then runs the release scripts alone."""
    first_boot_done(cron)
    hosts = cron.hosts()
    hosts.awaits_reboot(cron.server)

    def come_back() -> None:
        reboot(cron)
        cron.clock.then = lambda: mark(cron, f"{BOOT}/started")

    cron.clock.then = come_back
    hosts.set_up(cron.server)

    assert cron.lines("set up")[-1] == "release"
    assert "machine" not in cron.lines("set up")
    assert cron.sshd.logins == 2


def test_rc_local_never_runs(cron):
    """A server whose rc.local does not run after the reboot is an error that says so."""
    first_boot_done(cron)
    reboot(cron)

    with pytest.raises(HostError, match=r"on web-1: waited 30 s for rc\.local to run after the reboot"):
        cron.hosts().set_up(cron.server)


def test_a_machine_script_that_failed(cron):
    """A failure at the first boot is the same error as one over SSH: script, exit code, last lines."""
    mark(cron, f"{MARKS}/bootstrap.failed", "bootstrap_scripts/20-fonts.sh 7\nlooking\nno fonts\n")

    with pytest.raises(CommandFailed) as failed:
        cron.hosts().awaits_reboot(cron.server)

    error = failed.value
    assert (error.server, error.stage, error.command) == ("web-1", "set up", "bootstrap_scripts/20-fonts.sh")
    assert (error.command_exit_code, error.tail) == (7, "looking\nno fonts")


@pytest.mark.parametrize("code", ["²", "-1", "9" * 1500, "", "seven"])
def test_an_exit_code_that_is_none(cron, code):
    """A server may write anything for an exit code: it has failed all the same, and is told as such, in few lines."""
    mark(cron, f"{MARKS}/bootstrap.failed", f"20-fonts.sh {code}\n" + "no fonts\n" * 10_000)

    with pytest.raises(CommandFailed, match=r"20-fonts.sh exited -1") as failed:
        cron.hosts().awaits_reboot(cron.server)

    assert len(failed.value.tail.splitlines()) == 20


def test_a_first_boot_that_does_nothing(cron):
    """A server that was not made to set itself up is given up at the deadline, with what to look at."""
    cron.app = AppCommands(node_port=8000, deadlines=Deadlines(set_up=5))
    with pytest.raises(HostError, match=r"(?s)waited 5 s for the machine.*created with bootstrap = cron\?") as failed:
        cron.hosts().awaits_reboot(cron.server)

    assert failed.value.server == "web-1"


def test_without_cloud_init_the_marker_is_waited_for(cloud_init):
    """On a server that does not run cloud-init, although it may have the program, the marker tells."""
    with_cloud_init(cloud_init, "exit 9")
    (cloud_init.sshd.root / "run/cloud-init").rename(cloud_init.sshd.root / "run/elsewhere")
    cloud_init.clock.then = lambda: first_boot_done(cloud_init)

    assert not cloud_init.hosts().awaits_reboot(cloud_init.server)
    assert cloud_init.clock.time > 0


@pytest.mark.parametrize("code", [0, 2])
def test_cloud_init_has_finished(cloud_init, code):
    """Where cloud-init runs it is waited for; 2 says that it finished with errors it has recovered from (trap 22)."""
    first_boot_done(cloud_init)
    with_cloud_init(cloud_init, f'echo "$@" >>"$SERVER_ROOT/asked"; exit {code}')

    assert not cloud_init.hosts().awaits_reboot(cloud_init.server)
    assert (cloud_init.sshd.root / "asked").read_text().splitlines()[0] == "status --wait"


def test_cloud_init_crashed(cloud_init):
    """1 says that cloud-init crashed: the server is not used, and cloud-init's own words are shown (trap 22)."""
    first_boot_done(cloud_init)
    with_cloud_init(cloud_init, 'echo "status: error, $2"; exit 1')

    with pytest.raises(CommandFailed, match=r"(?s)cloud-init status --wait exited 1.*status: error, --long"):
        cloud_init.hosts().awaits_reboot(cloud_init.server)


def test_cloud_init_failed_by_our_own_script(cloud_init):
    """When it was our script that made cloud-init fail, the script is named."""
    mark(cloud_init, f"{MARKS}/bootstrap.failed", "bootstrap_scripts/20-fonts.sh 7\nno fonts\n")
    with_cloud_init(cloud_init, "exit 1")

    with pytest.raises(CommandFailed, match=r"20-fonts\.sh exited 7"):
        cloud_init.hosts().awaits_reboot(cloud_init.server)


def test_cloud_init_got_no_user_data(cloud_init):
    """A cloud-init that finished without our user data is an error at once, not after the deadline."""
    with_cloud_init(cloud_init, "exit 0")

    with pytest.raises(CommandFailed, match="given no user data of ours"):
        cloud_init.hosts().awaits_reboot(cloud_init.server)

    assert cloud_init.clock.time == 0


def test_what_sudo_has_to_say_is_passed_over(cron):
    """A line that sudo prints before the answer is not taken for the answer."""
    cron.sshd.path = cron.folder / "programs"
    cron.sshd.path.mkdir()
    (cron.sshd.path / "sudo").write_text('#!/bin/sh\necho "sudo: unable to resolve host" >&2; shift; exec "$@"\n')
    (cron.sshd.path / "sudo").chmod(0o755)
    cron.login_as("ubuntu")
    first_boot_done(cron)

    assert cron.hosts().awaits_reboot(a_server(cron.sshd.address))
