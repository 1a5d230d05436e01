"""The doors of real servers of the local cloud: the throw-away host key, the seal, and who stands before them later."""

import json
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from tasks.errors import HostUnreachable, WrongHostKey
from tasks.hosts.access import SshAccess
from tasks.hosts.app import AppCommands
from tasks.hosts.console_trust import ConsoleKeys
from tasks.hosts.fabric_hosts import FabricHosts, Sources
from tasks.hosts.keys import deploy_key
from tasks.hosts.known_hosts import KnownHosts
from tasks.hosts.plain_ssh import ssh_line
from tasks.hosts.throwaway import HOST_KEY, Injected, ThrowAway
from tasks.hosts.trust import Trust
from tasks.localcloud.machines.spec import Isolation
from tasks.waiting import Patience, WallClock
from tests.hosts.conftest import a_server
from tests.hosts.machines import machines
from tests.hosts.sshd import impostor_at

SEAL = Path(__file__).parents[2] / "bootstrap_scripts/bin/seal"
WRITTEN = {"path": "/srv/app/bin/seal", "permissions": "0755", "content": SEAL.read_text()}
WITH_SEAL = f"#cloud-config\n{json.dumps({'write_files': [WRITTEN]})}\n".encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder for all of it."""
    return tmp_path_factory.mktemp("cloud")


@pytest.fixture(scope="module")
def cloud(folder):
    """Run servers in namespaces."""
    with machines(folder) as cloud:
        if cloud.hypervisor.isolation is not Isolation.NAMESPACES:
            pytest.skip("this machine refuses namespaces, and user data with them")
        yield cloud


@pytest.fixture
def reach(folder, tmp_path):
    """Give a function that makes hosts which log in with the deploy's key; what they open is closed in the end."""
    opened = []

    def make(introduction, limit=30.0):
        trust = Trust(introduction, [KnownHosts(tmp_path / "known_hosts")])
        access = SshAccess(port=2222, key_file=deploy_key(folder / "state").path, patience=Patience(limit=limit))
        sources = Sources(scripts=SEAL.parent.parent, artifact=lambda _: None, trust=trust)
        hosts = FabricHosts(
            access=access, app=AppCommands(node_port=8000), sources=sources, clock=WallClock(),
            on_output=lambda *_: None,
        )  # fmt: skip
        opened.append(hosts)
        return hosts

    yield make
    for hosts in opened:
        hosts.close()


def described(spec, host_key=""):
    """Give a server as the cloud's API describes it."""
    bare = a_server(spec.private_ip)
    return replace(bare, id=spec.id, labels=replace(bare.labels, host_key=host_key))


def refuses(spec):
    """Say whether the SSH port refuses connections."""
    try:
        socket.create_connection((spec.private_ip, spec.ssh_port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.skipif(not Path("/usr/bin/ssh-keygen").exists(), reason="servers make their keys with ssh-keygen")
def test_a_throw_away_key_is_worthless_after_the_first_connection(cloud, reach, tmp_path):
    """A server with it in its user data is met over it, makes keys of its own, and an impostor with it is refused."""
    key, noted = ThrowAway.make(), []
    user_data = f"#cloud-config\n{json.dumps(key.cloud_config())}\n".encode()
    spec = cloud.boot(user_data=user_data)
    hosts = reach(Injected("root", lambda _server, own: noted.append(own)))
    server = described(spec, key.metadata[HOST_KEY])

    assert hosts.connections(server) == 0
    assert hosts.connections(described(spec, noted[0])) == 0
    hosts.close()
    cloud.delete(spec)

    stolen = asyncssh.import_private_key(key.private.reveal())
    with impostor_at(spec.private_ip, spec.ssh_port, tmp_path, key=stolen) as impostor:
        with pytest.raises(WrongHostKey, match="showed the SSH host key"):
            hosts.seal(server)
        assert hosts.connections(server) is None
    assert (impostor.logins, impostor.commands) == (0, [])


def test_a_sealed_server_lets_nobody_in(cloud, reach):
    """The port refuses connections, and does so after a reboot; what the server runs goes on."""
    spec = cloud.boot(user_data=WITH_SEAL)
    server = described(spec)
    hosts = reach(ConsoleKeys(cloud.console, WallClock()))

    hosts.seal(server)

    assert refuses(spec)
    cloud.reboot(spec)
    assert refuses(spec)
    assert "sshd: not started" in cloud.console(spec.id)


def test_the_deploys_key_is_gone_from_a_sealed_server(cloud, reach, folder):
    """Even with an SSH server running, the key opens no account; keys of others are left as they are."""
    ours, other = deploy_key(folder / "state").public_line, asyncssh.generate_private_key("ssh-ed25519")
    spec = cloud.boot(user_data=WITH_SEAL, authorized_keys=(ours, other.export_public_key().decode()))
    hosts = reach(ConsoleKeys(cloud.console, WallClock()))

    hosts.seal(described(spec))

    authorized = (folder / "machines" / spec.id / "disk/root/.ssh/authorized_keys").read_text()
    assert ours.split()[1] not in authorized
    assert other.export_public_key().decode().split()[1] in authorized


def test_a_sealed_server_is_unreachable(cloud, reach):
    """A stage that is tried on it all the same ends at the deadline, and connections cannot be counted."""
    spec = cloud.boot(user_data=WITH_SEAL)
    server = described(spec)
    hosts = reach(ConsoleKeys(cloud.console, WallClock()), limit=0.5)
    hosts.seal(server)

    with pytest.raises(HostUnreachable, match="onnection refused"):
        hosts.check(server)
    hosts.seal(server)  # once more does no harm
    assert hosts.connections(server) is None


def test_the_line_for_plain_ssh(tmp_path):
    """It names the key, the file of host keys, the port, and the way through a gateway; a shell can take it."""
    access = SshAccess(user="deploy", port=2222, key_file=Path("/keys/my key"))

    assert ssh_line(access, Path("/runs/known_hosts"), "127.9.1.2") == (
        "ssh -i '/keys/my key' -o IdentitiesOnly=yes -o 'UserKnownHostsFile=\"/runs/known_hosts\"' "
        "-o StrictHostKeyChecking=yes -p 2222 -- deploy@127.9.1.2"
    )


@pytest.mark.skipif(not shutil.which("ssh"), reason="no OpenSSH here to read the line")
@pytest.mark.parametrize("folder", ["a b", "100%h", "it's $HOME", "-o x"])
def test_ssh_reads_the_line_as_it_is_meant(tmp_path, folder):
    """Whatever the folder of the host keys is called, ssh finds the file and knows who is to log in where."""
    access = SshAccess(user="deploy", key_file=tmp_path / folder / "key")
    line = ssh_line(access, tmp_path / folder / "known_hosts", "127.9.1.2")

    shown = subprocess.run(
        ["sh", "-c", line.replace("ssh ", "ssh -G ", 1)], check=True, capture_output=True, text=True
    ).stdout.splitlines()  # fmt: skip

    assert f"userknownhostsfile {tmp_path / folder / 'known_hosts'}" in shown
    assert {"user deploy", "hostname 127.9.1.2"} <= set(shown)
