"""Servers where namespaces are refused: plain processes with a folder each."""

import os
from pathlib import Path

import pytest

from tasks.localcloud.machines import landlock
from tasks.localcloud.machines.spec import BootFailed, InjectedFile, Isolation


@pytest.fixture(scope="module")
def server(plain_lab):
    """Boot a server with a file in its folder."""
    return plain_lab.boot(personality=(InjectedFile(path="/srv/app/settings", contents=b"a=1\n"),))


@pytest.fixture(scope="module")
def root(plain_lab, server):
    """Give the server's folder on the host."""
    return plain_lab.folder / "machines" / server.id / "disk"


def test_operator_is_warned(plain_lab):
    """The hypervisor says that servers are plain processes, why, and what holds them."""
    warning = plain_lab.hypervisor.warning

    assert plain_lab.hypervisor.isolation is Isolation.PROCESSES
    assert warning.startswith("Servers are plain processes with a folder each, since that was asked for:")
    assert ("Landlock keeps" in warning) == bool(landlock.version())


def test_commands_run_in_the_servers_folder(plain_lab, server, root):
    """Home, working directory and SERVER_ROOT of a command are in the server's own folder."""
    assert plain_lab.sh(server, "echo $SERVER_ROOT; pwd; echo $HOME; echo $TMPDIR").splitlines() == [
        str(root),
        str(root / "root"),
        str(root / "root"),
        str(root / "tmp"),
    ]


def test_terminal_works(plain_lab, server):
    """A command can have a terminal, although it may write to few devices only."""

    async def run():
        async with plain_lab.connect(server) as connection:
            return (await connection.run("test -t 0 && echo typed > $(tty)", term_type="xterm")).stdout

    assert plain_lab.run(run()).strip() == "typed"


def test_sftp_ends_up_in_the_folder(plain_lab, server, root):
    """Absolute paths of sftp are below the server's folder, relative ones in its home."""

    async def put():
        async with plain_lab.connect(server) as connection, connection.start_sftp_client() as sftp:
            async with sftp.open("/srv/app/there", "w") as file:
                await file.write("absolute")
            async with sftp.open("here", "w") as file:
                await file.write("relative")
            return await sftp.realpath("../../../../..")

    assert plain_lab.run(put()) == "/"
    assert (root / "srv/app/there").read_text() == "absolute"
    assert (root / "root/here").read_text() == "relative"


def test_shared_volume_is_in_the_folder(plain_lab, server):
    """What a server writes to its srv/shared is there for the others."""
    plain_lab.sh(server, "echo hello > $SERVER_ROOT/srv/shared/note")

    assert (plain_lab.shared / "note").read_text() == "hello\n"


def test_injected_files_are_in_the_folder(root):
    """An injected file is written below the server's folder."""
    assert (root / "srv/app/settings").read_text() == "a=1\n"


@pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
@pytest.mark.parametrize("path", ["/etc/of-a-server", "/tmp/of-a-server", "/usr/bin/of-a-server"])
def test_nothing_is_written_outside_the_folder(plain_lab, server, path):
    """The kernel refuses what a command would write elsewhere, also for root."""
    assert "denied" in plain_lab.sh(server, f"touch {path} 2>&1 || true")
    assert not Path(path).exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root has privileges to give up")
def test_root_has_no_privileges_over_the_host(plain_lab, server):
    """Run by root, a server keeps the one capability to listen on low ports."""
    assert plain_lab.sh(server, "grep CapEff /proc/self/status").split()[1] == f"{1 << 10:016x}"


@pytest.mark.parametrize(
    "wish",
    [
        {"user_data": b"#!/bin/sh\n"},
        {"personality": (InjectedFile(path="/etc/rc.local", contents=b""),)},
        {"personality": (InjectedFile(path="/srv/../../x", contents=b""),)},
    ],
)
def test_what_needs_a_private_etc_is_refused(plain_lab, wish):
    """A server that asks to set up a machine does not boot, and the reason says what to do instead."""
    with pytest.raises(BootFailed, match="no /etc of their own"):
        plain_lab.boot(**wish)


def test_rc_local_runs_at_every_boot(plain_lab, running):
    """etc/rc.local of the folder runs when the server has been rebooted, and what ran before has ended."""
    spec = plain_lab.boot()
    root = plain_lab.folder / "machines" / spec.id / "disk"
    plain_lab.sh(spec, "printf '#!/bin/sh\\nexec sleep 302\\n' > ../etc/rc.local; chmod 755 ../etc/rc.local")

    pids = []
    for _ in range(2):
        plain_lab.run(plain_lab.hypervisor.reboot(spec.id))
        pids.append(int((root / "run/init.pid").read_text()))

    assert pids[0] != pids[1]
    plain_lab.until(lambda: running("sleep 302") != [])
    plain_lab.run(plain_lab.hypervisor.delete(spec.id))
    assert running("sleep 302") == []
    assert not root.exists()


def test_detached_programs_end_with_their_server(plain_lab, running):
    """A program that left its session and its parent does not outlive the server, even if the init is killed."""
    spec = plain_lab.boot()
    root = plain_lab.folder / "machines" / spec.id / "disk"
    plain_lab.sh(spec, "(setsid sleep 303 >/dev/null 2>&1 &) ; echo")
    plain_lab.until(lambda: running("sleep 303") != [])

    os.kill(int((root / "run/init.pid").read_text()), 9)

    machine_id, reason = plain_lab.run(plain_lab.deaths.get())
    assert (machine_id, reason) == (spec.id, "ended with status -9")
    plain_lab.until(lambda: running("sleep 303") == [])
