"""Reboots, ends and what is left afterwards."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.localcloud.machines.children import descendants
from tasks.localcloud.machines.spec import BootFailed, Isolation

COUNTS_BOOTS = b"""#cloud-config
write_files: [{path: /etc/rc.local, permissions: "0755", content: "#!/bin/sh\\necho boot >> /var/log/boots\\n"}]
runcmd: [/etc/rc.local]
"""


@pytest.fixture
def server(lab):
    """Boot a server that counts its boots."""
    spec = lab.boot(user_data=COUNTS_BOOTS)
    lab.sh(spec, "for i in $(seq 400); do test -e /var/lib/cloud/instance/boot-finished && exit; sleep 0.05; done")
    yield spec
    lab.run(lab.hypervisor.delete(spec.id))


def host_keys(lab, server):
    """Give the host keys in a server's console log."""
    return [line for line in lab.hypervisor.console(server.id).splitlines() if line.startswith("ssh-ed25519")]


@pytest.mark.parametrize("verb", ["reboot", "hard_reboot"])
def test_reboot_keeps_the_disk_and_ends_processes(lab, server, verb):
    """After a reboot the disk is as it was, memory is empty, processes are gone and rc.local has run once more."""
    lab.sh(server, "echo kept > /root/kept; echo lost > /run/lost; setsid sleep 300 >/dev/null 2>&1 & echo")

    lab.run(getattr(lab.hypervisor, verb)(server.id))

    assert lab.sh(server, "cat /root/kept; ls /run") == "kept\ninit.pid\nmetadata.json"
    assert (
        lab.sh(
            server,
            "for i in $(seq 400); do test $(wc -l < /var/log/boots) -ge 3 && exec wc -l < /var/log/boots;"
            " sleep 0.02; done",
        )
        == "3"
    )
    assert "sleep 300" not in lab.sh(server, "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | sed 's/grep.*//'")
    assert len(host_keys(lab, server)) == 1


def test_soft_reboot_lets_processes_end_properly(lab, server):
    """A soft reboot sends SIGTERM, so that a program can put its things in order."""
    lab.sh(
        server,
        "setsid sh -c 'trap \"echo tidy > /root/tidy; exit\" TERM; echo > /run/ready; while :; do sleep 0.05; done' "
        ">/dev/null 2>&1 & until test -e /run/ready; do sleep 0.02; done",
    )

    lab.run(lab.hypervisor.reboot(server.id))

    assert lab.sh(server, "cat /root/tidy") == "tidy"


@pytest.mark.parametrize("command", ["reboot", "shutdown -r now", "/sbin/reboot"])
def test_reboot_typed_in_a_server_is_a_reboot(lab, server, command):
    """`reboot` in a server restarts that server, without anybody's help."""
    before = lab.hypervisor.console(server.id).count("Linux version")
    lab.sh(server, f"setsid sh -c 'sleep 0.1; {command}' >/dev/null 2>&1 & echo")

    lab.until(lambda: lab.hypervisor.console(server.id).count("sshd: listening") > before)
    assert lab.sh(server, "hostname") == "web-1"
    assert lab.deaths.empty()


def test_power_off_is_told_and_can_be_undone(lab, server):
    """A server that powers itself off is reported, and boots again on request."""
    lab.sh(server, "setsid sh -c 'sleep 0.1; poweroff' >/dev/null 2>&1 & echo")

    assert lab.run(lab.deaths.get()) == (server.id, "powered off")

    lab.run(lab.hypervisor.hard_reboot(server.id))
    assert lab.sh(server, "hostname") == "web-1"


def test_delete_leaves_nothing(lab, running):
    """After a delete no process, mount or file of the server is left, and deleting again is no mistake."""
    spec = lab.boot()
    lab.sh(
        spec, "setsid sleep 301 >/dev/null 2>&1 & mkdir -p /root/a/b; echo x > /root/a/b/c; chmod 0 /root/a/b /root/a"
    )

    lab.run(lab.hypervisor.delete(spec.id))
    lab.run(lab.hypervisor.delete(spec.id))

    assert not (lab.folder / "machines" / spec.id).exists()
    assert spec.id not in Path("/proc/self/mounts").read_text()
    assert not running("sleep 301")


def test_delete_during_the_boot_ends_the_boot(lab):
    """A server that is deleted while it boots is gone, and its boot fails."""
    spec = lab.spec()

    async def boot_and_delete():
        boot = asyncio.create_task(lab.hypervisor.boot(spec))
        await asyncio.sleep(0)
        await lab.hypervisor.delete(spec.id)
        with pytest.raises(BootFailed):
            await boot

    lab.run(boot_and_delete())
    assert not (lab.folder / "machines" / spec.id).exists()


def test_servers_boot_concurrently(lab):
    """Five servers asked for at once all come up, each with its own name."""
    specs = [lab.spec(hostname=f"web-{n}") for n in range(5)]

    async def boot_all():
        await asyncio.gather(*(lab.hypervisor.boot(spec) for spec in specs))

    lab.run(boot_all())

    assert [lab.sh(spec, "hostname") for spec in specs] == [f"web-{n}" for n in range(5)]


def test_unknown_server_cannot_be_rebooted(lab):
    """A reboot of a server that does not exist fails with its id."""
    with pytest.raises(BootFailed, match="no server 4711"):
        lab.run(lab.hypervisor.reboot("4711"))


def test_directory_is_the_owners_alone(lab):
    """Nobody else on the machine can look into the servers' disks."""
    assert (lab.folder / "machines").stat().st_mode & 0o777 == 0o700


PROGRAM = """
import asyncio, sys
from pathlib import Path
from tasks.localcloud.machines.hypervisor import Hypervisor
from tasks.localcloud.machines.spec import InjectedFile, Isolation, MachineSpec

async def main(folder):
    (folder / "shared").mkdir(exist_ok=True)
    hypervisor = Hypervisor(folder / "machines", isolation=Isolation(sys.argv[2]))
    await hypervisor.start()
    spec = MachineSpec(
        id="one", hostname="one", private_ip=sys.argv[3], ssh_port=2222, authorized_keys=(), shared=folder / "shared"
    )
    await hypervisor.boot(spec)
    await hypervisor.reboot(spec.id)
    print(hypervisor.isolation, hypervisor.warning, flush=True)
    if sys.argv[4] == "wait":
        await asyncio.sleep(60)
    await hypervisor.close()

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("isolation", Isolation)
def test_servers_end_when_the_daemon_is_killed(lab, tmp_path, isolation):
    """A daemon that is ended by SIGKILL takes its servers with it."""
    address = lab.spec().private_ip
    daemon = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, tmp_path, isolation, address, "wait"], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout.readline().startswith(isolation)
    machines = descendants(daemon.pid)

    daemon.kill()
    daemon.communicate()

    assert len(machines) >= 2
    lab.until(lambda: not [pid for pid in machines if Path(f"/proc/{pid}").exists()])


def test_close_leaves_nothing(tmp_path, lab):
    """A hypervisor that was closed leaves no file, and can be started again."""
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-c", PROGRAM, tmp_path, "namespaces", lab.spec().private_ip, "close"], check=True
        )

        assert [entry.name for entry in tmp_path.iterdir()] == ["shared"]


@pytest.mark.parametrize("isolation", Isolation)
@pytest.mark.skipif(os.getuid() != 0, reason="without root, all the other tests show this already")
def test_ordinary_user_can_run_servers(lab, folder_of_nobody, isolation):
    """Without root a server boots just the same, in a user namespace of its own or as plain processes."""
    packages = os.pathsep.join([str(Path.cwd()), *(path for path in sys.path if path.endswith("site-packages"))])
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", f"PYTHONPATH={packages}"]
    python = [*user, "PYTHONDONTWRITEBYTECODE=1", "/usr/bin/python3"]
    if subprocess.run([*python, "-c", "import asyncssh, yaml"], cwd="/", capture_output=True, check=False).returncode:
        pytest.skip("no Python here that an ordinary user can run with these packages")

    seen = subprocess.run(
        [*python, "-c", PROGRAM, folder_of_nobody, isolation, lab.spec().private_ip, "close"],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (seen.stdout.split()[0], seen.stderr) == (isolation, "")


@pytest.mark.skipif(os.getuid() != 0, reason="takes root, to build a place where even root is refused")
def test_refused_namespaces_mean_plain_processes(lab, tmp_path):
    """Where the kernel refuses namespaces, servers boot as plain processes, and the warning says what was refused."""
    refuse = 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-sys_admin "$@"'
    inside = ["unshare", "--user", "--map-root-user", "sh", "-c", refuse, "sh"]

    seen = subprocess.run(
        [*inside, sys.executable, "-c", PROGRAM, tmp_path, "namespaces", lab.spec().private_ip, "close"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert seen.stderr == ""
    assert seen.stdout.startswith(
        "processes Servers are plain processes with a folder each, since this machine refuses"
    )
    assert "unshare" in seen.stdout


@pytest.mark.parametrize("isolation", Isolation)
def test_servers_end_with_the_fork_server(new_lab, isolation):
    """If the fork server is killed its servers end, each is reported, and a further boot says what to do."""
    doomed = new_lab(isolation)
    spec = doomed.boot()
    fork_server = doomed.hypervisor._lives.forks.pid
    machines = descendants(fork_server)

    os.kill(fork_server, 9)

    assert doomed.run(doomed.deaths.get()) == (spec.id, "the fork server ended")
    assert machines
    doomed.until(lambda: not [pid for pid in machines if Path(f"/proc/{pid}").exists()])
    with pytest.raises(BootFailed, match="start the local cloud again"):
        doomed.boot()
