"""Locked doors: servers known by an injected key, sealed servers, and a man in the middle."""

import asyncio
import shutil
import socket
from dataclasses import replace

import asyncssh
import pytest

from tasks.hosts.console_keys import host_keys
from tests.hosts.sshd import impostor_at
from tests.stories.operators import ONE, Operator

SSH_PORT = 2222
LOCKED = f'{ONE}seal = true\nserver.trust = "injected"\nlimits.drain = 1\n'


def refuses(address: str) -> bool:
    """Say whether SSH connections to an address are refused."""
    try:
        socket.create_connection((address, SSH_PORT), 5).close()
    except ConnectionRefusedError:
        return True
    return False


async def run_as_operator(operator: Operator, address: str, command: str) -> None:
    """Run a command on a server with the deploy's key."""
    [key] = operator.folder.glob("disposable-servers/keys/*/id_ed25519")
    settings = {"username": "root", "client_keys": [str(key)], "known_hosts": None, "config": None}
    async with asyncssh.connect(address, SSH_PORT, **settings) as connection:
        await connection.run(command, check=True)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="servers make their keys with ssh-keygen")
def test_sealed_servers_come_and_go(operator: Operator) -> None:
    """With an injected host key and the seal, a deploy ends with doors that open to nobody, as does the next one."""
    locked = operator.with_settings(LOCKED)
    first = locked.manages("deploy")
    [server] = locked.status()["servers"]
    check = locked.fab("check")
    second = locked.manages("deploy")
    [next_server] = locked.status()["servers"]

    assert "Log in    nobody can: the servers are sealed" in first.stdout
    assert (server["phase"], server["sealed"], server["in_rotation"]) == ("serving", True, True)
    assert check.code == 4
    assert f"{server['name']} is sealed: nobody can log in to it" in check.stderr
    assert f"{server['name']} was given 1 s to drain; it is sealed" in second.stdout
    assert next_server["name"] != server["name"]
    assert refuses(next_server["private_ip"])
    assert locked.cloud().page().status == 200


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="servers make their keys with ssh-keygen")
def test_an_injected_key_is_written_down_nowhere(operator: Operator) -> None:
    """No private key is in the records of a deploy, and the metadata names the key that the server has made itself."""
    locked = operator.with_settings(LOCKED)
    locked.manages("deploy")
    [server] = locked.cloud().servers().values()
    records = [path for path in operator.deploys.rglob("*") if path.is_file()]
    known = next(path.read_text() for path in records if path.name == "known_hosts")

    assert [path for path in records if "PRIVATE KEY" in path.read_text()] == []
    assert server.metadata["host_key"].startswith("ssh-ed25519 ")
    assert server.metadata["host_key"] in known


def at_home(operator: Operator, console: str, address: str) -> Operator:
    """Give the operator a home whose ~/.ssh holds their key, and knows a server by the host keys on its console."""
    folder = operator.folder / "home/.ssh"
    folder.mkdir(parents=True)
    [key] = operator.folder.glob("disposable-servers/keys/*-jump/id_ed25519")
    shutil.copy(key, folder)
    known = [f"[{address}]:{SSH_PORT} {found.type} {found.text}\n" for found in host_keys(console)]
    (folder / "known_hosts").write_text("".join(known))
    return replace(operator, prefix=("env", "-u", "SSH_AUTH_SOCK", f"HOME={folder.parent}"))


def test_servers_behind_a_gateway(operator: Operator) -> None:
    """A whole deploy, its checks, and the draining of the next go through a jump host that known_hosts knows."""
    operator.with_settings(ONE).manages("servers.create", "--environment", "jump")
    [jump] = operator.status("--environment", "jump")["servers"]
    address = jump["private_ip"]
    console = operator.manages("servers.console", "--environment", "jump", "--server", address).stdout
    behind = operator.with_settings(f'{ONE}server.gateway = "root@{address}:{SSH_PORT}"\n')
    stranger = behind.fab("deploy")
    behind = at_home(behind, console, address)
    behind.manages("deploy")
    second = behind.manages("deploy")

    assert stranger.code == 4
    assert f"the gateway root@{address}:{SSH_PORT} is not logged in to" in stranger.stderr
    assert "given" not in second.stdout  # its connections were counted, and there were none
    assert f"-J root@{address}:{SSH_PORT}" in second.stdout
    assert behind.cloud().page().status == 200


def test_another_ssh_server_on_a_servers_address_is_refused(operator: Operator) -> None:
    """It is not logged in to, the message shows both fingerprints, and the next deploy makes other servers."""
    one = operator.with_settings(ONE)
    one.manages("servers.create")
    [server] = one.status()["servers"]
    asyncio.run(run_as_operator(one, server["private_ip"], "service ssh stop"))

    with impostor_at(server["private_ip"], SSH_PORT, operator.folder) as impostor:
        ran = one.fab("setup")
    one.manages("deploy")
    [serving] = one.status()["servers"]

    assert ran.code == 4
    assert f"showed the SSH host key {impostor.host_key.get_fingerprint()}" in ran.stderr
    assert (impostor.logins, impostor.commands) == (0, [])
    assert serving["name"] != server["name"]
