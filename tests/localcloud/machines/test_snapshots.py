"""Snapshots of servers, and servers that are made from them."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest

from tasks.localcloud.machines.snapshots import SnapshotFailed
from tasks.localcloud.machines.spec import BootFailed

STARTS = b"""#cloud-config
write_files: [{path: /etc/rc.local, permissions: "0755", content: "#!/bin/sh\\nhostname >> /var/log/started\\n"}]
"""


@pytest.fixture
def golden(lab):
    """Boot a server that was set up: files in several places, one of the system's taken away, one of root's alone."""
    spec = lab.boot(hostname="golden", user_data=STARTS)
    lab.wait_for_file(spec, "/var/log/started")
    lab.sh(
        spec,
        "mkdir -p /srv/app; echo release-1 > /srv/app/release; echo a > /etc/app.conf; rm /etc/shells /etc/debconf.conf"
        " -f; ln -s /srv/app /root/app; umask 077; echo secret > /root/secret; echo gone > /run/gone; echo > /tmp/gone;"
        " useradd app 2>/dev/null; touch /srv/app/owned; chown daemon /srv/app/owned || true",
    )
    yield spec
    lab.run(lab.hypervisor.delete(spec.id))


@pytest.fixture
def snapshot(lab, golden):
    """Take a snapshot of that server."""
    lab.run(lab.hypervisor.snapshot(golden.id, "app-image"))
    yield "app-image"
    lab.run(lab.hypervisor.remove_snapshot("app-image"))


LOOK = (
    "cat /srv/app/release /etc/app.conf /root/app/release /root/secret; test ! -e /etc/shells && echo no shells;"
    " stat -c '%a %U' /root/secret /srv/app/owned; ls /tmp; ls /run"
)


def test_a_server_made_from_a_snapshot_has_its_disk(lab, golden, snapshot):
    """Files, links, modes, owners and deletions are as in the snapshot; what was in memory is not there."""
    copy = lab.boot(hostname="copy", snapshot=snapshot)

    assert lab.sh(copy, LOOK).replace("init.pid", "").split() == [
        line for line in lab.sh(golden, LOOK).replace("init.pid", "").split() if line != "gone"
    ]
    assert "release-1" in lab.sh(copy, LOOK)
    assert "no shells" in lab.sh(copy, LOOK)
    lab.run(lab.hypervisor.delete(copy.id))


def test_a_server_made_from_a_snapshot_is_another_server(lab, golden, snapshot):
    """It has its own name, machine id and host keys, and rc.local has run in it, as on any first boot."""
    copy = lab.boot(hostname="copy", snapshot=snapshot)
    ask = "cat /etc/hostname /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub"
    ours, others = lab.sh(copy, ask).splitlines(), lab.sh(golden, ask).splitlines()

    assert ours[0] == "copy"
    assert not set(ours) & set(others)
    assert "copy" in lab.wait_for_file(copy, "/var/log/started")
    lab.until(lambda: "BEGIN SSH HOST KEY KEYS" in lab.hypervisor.console(copy.id))
    lab.run(lab.hypervisor.delete(copy.id))


def test_a_server_made_from_a_snapshot_takes_its_own_key_as_well(lab, golden, snapshot):
    """The new server's key is authorized, beside those in the snapshot, as cloud-init leaves them."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    copy = lab.boot(snapshot=snapshot, authorized_keys=(key.export_public_key().decode(),))

    async def log_in(with_key):
        async with lab.connect(copy, client_keys=[with_key]) as connection:
            return (await connection.run("hostname", check=True)).stdout

    assert lab.run(log_in(key)) == lab.run(log_in(lab.key)) == "web-1\n"
    lab.run(lab.hypervisor.delete(copy.id))


def test_the_disk_of_a_snapshot_is_of_one_moment(lab):
    """Two files that a program writes one after the other never differ by more than one line in a snapshot."""
    spec = lab.boot()
    lab.sh(
        spec,
        "setsid sh -c 'i=0; while :; do i=$((i+1)); echo $i >> /srv/a; echo $i >> /srv/z; done' >/dev/null 2>&1 &"
        " until test -s /srv/z; do sleep 0.02; done; head -c 20000000 /dev/zero > /srv/m",
    )
    lab.run(lab.hypervisor.snapshot(spec.id, "moment"))
    copy = lab.boot(snapshot="moment")
    first, last = (int(lab.sh(copy, f"wc -l < /srv/{name}")) for name in "az")

    assert first - last in {0, 1}
    lab.sh(spec, "n=$(wc -l < /srv/a); until test $(wc -l < /srv/a) -gt $n; do sleep 0.02; done")
    for server in (copy, spec):
        lab.run(lab.hypervisor.delete(server.id))
    lab.run(lab.hypervisor.remove_snapshot("moment"))


def test_a_server_that_is_off_can_be_copied(lab, golden):
    """A server that is off has a disk all the same; afterwards it boots as before."""
    lab.run(lab.hypervisor.power_off(golden.id))
    lab.run(lab.hypervisor.snapshot(golden.id, "off"))
    lab.run(lab.hypervisor.power_on(golden.id))
    copy = lab.boot(snapshot="off")

    assert lab.sh(copy, "cat /srv/app/release") == lab.sh(golden, "cat /srv/app/release") == "release-1"
    lab.run(lab.hypervisor.delete(copy.id))
    lab.run(lab.hypervisor.remove_snapshot("off"))


def test_deleting_a_server_ends_its_snapshot(lab):
    """A snapshot that is given up leaves no file, and its server goes on and can be deleted."""
    spec = lab.boot()
    lab.sh(spec, "head -c 200000000 /dev/zero > /srv/large")

    async def give_up():
        taking = asyncio.create_task(lab.hypervisor.snapshot(spec.id, "given-up"))
        while not list((lab.folder / "machines/snapshots").glob("given-up.unfinished/*")):  # noqa: ASYNC110  a file offers no event
            await asyncio.sleep(0)
        taking.cancel()
        await asyncio.wait([taking])

    lab.run(give_up())

    assert not list((lab.folder / "machines/snapshots").glob("given-up*"))
    assert lab.sh(spec, "echo alive") == "alive"
    lab.run(lab.hypervisor.delete(spec.id))


def test_plain_processes_are_copied_too(plain_lab):
    """Where servers are plain processes, a snapshot holds the server's folder."""
    spec = plain_lab.boot()
    plain_lab.sh(spec, "echo release-1 > $SERVER_ROOT/srv/release")
    plain_lab.run(plain_lab.hypervisor.snapshot(spec.id, "plain"))
    copy = plain_lab.boot(snapshot="plain")

    assert plain_lab.sh(copy, "cat $SERVER_ROOT/srv/release") == "release-1"
    for server in (copy, spec):
        plain_lab.run(plain_lab.hypervisor.delete(server.id))


def test_what_is_not_there_cannot_be_copied_or_booted(lab):
    """An unknown server has no snapshot, and an unknown snapshot no servers; the reasons are said."""
    with pytest.raises(SnapshotFailed, match="there is no server nobody"):
        lab.run(lab.hypervisor.snapshot("nobody", "nothing"))
    with pytest.raises(BootFailed, match="could not be made from the snapshot"):
        lab.boot(snapshot="nothing")


PROGRAM = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from tasks.localcloud.machines.hypervisor import Hypervisor
from tasks.localcloud.machines.spec import MachineSpec

SET_UP = b"#!/bin/sh\\nrm /etc/shells; mkdir /srv/app; echo release-1 > /srv/app/release; echo set up\\n"
LOOK = b"#!/bin/sh\\ntest -e /etc/shells || echo shells are gone; cat /srv/app/release; echo looked\\n"

async def said(hypervisor, spec, text):
    while text not in hypervisor.console(spec.id):
        await asyncio.sleep(0.02)
    return hypervisor.console(spec.id)

async def main(folder, address):
    (folder / "shared").mkdir()
    hypervisor = Hypervisor(folder / "machines")
    await hypervisor.start()
    one = MachineSpec(
        id="one", hostname="one", private_ip=address, ssh_port=2222, authorized_keys=(), shared=folder / "shared",
        user_data=SET_UP,
    )
    await hypervisor.boot(one)
    await said(hypervisor, one, "set up")
    await hypervisor.snapshot("one", "golden")
    await hypervisor.delete("one")
    two = replace(one, id="two", hostname="two", snapshot="golden", user_data=LOOK)
    await hypervisor.boot(two)
    print(hypervisor.isolation, await said(hypervisor, two, "looked"), flush=True)
    await hypervisor.close()

asyncio.run(asyncio.wait_for(main(Path(sys.argv[1]), sys.argv[2]), 30))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="without root, all the other tests show this already")
def test_ordinary_user_can_copy_servers(lab, folder_of_nobody):
    """Without root a snapshot keeps what was written, and what was deleted of the image, just the same."""
    packages = os.pathsep.join([str(Path.cwd()), *(path for path in sys.path if path.endswith("site-packages"))])
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", f"PYTHONPATH={packages}"]
    python = [*user, "PYTHONDONTWRITEBYTECODE=1", "/usr/bin/python3"]
    if subprocess.run([*python, "-c", "import asyncssh, yaml"], cwd="/", capture_output=True, check=False).returncode:
        pytest.skip("no Python here that an ordinary user can run with these packages")

    command = [*python, "-c", PROGRAM, folder_of_nobody, lab.spec().private_ip]
    seen = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)

    assert seen.stderr == ""
    if not seen.stdout.startswith("namespaces"):
        pytest.skip("this machine refuses namespaces to ordinary users")
    assert "shells are gone" in seen.stdout
    assert "release-1" in seen.stdout
