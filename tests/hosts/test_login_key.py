"""The key that we log in with: encrypted files, passphrases and a real SSH agent. Over real SSH."""

import os
import shutil
import signal
import subprocess
import threading
from dataclasses import replace

import asyncssh
import pytest

from tasks.errors import SettingsError
from tasks.hosts.access import Passphrase, Secret, SshAccess
from tasks.hosts.login_key import login_key, public_line
from tests.hosts.conftest import a_server, migrating

WORDS = "correct horse"


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch):
    """Have no SSH agent, whatever the developer has."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def key():
    """Make a key."""
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def encrypted(key, room, tmp_path):
    """Log in with an encrypted key file, which the server takes; give its path."""
    path = tmp_path / "id_own"
    key.write_private_key(path, passphrase=WORDS)
    path.chmod(0o600)
    room.sshd.authorized[:] = [key.export_public_key().decode()]
    room.access = replace(room.access, key_file=path)
    return path


@pytest.fixture
def agent(tmp_path, monkeypatch):
    """Run an SSH agent; give a function that adds a key to it."""
    if not shutil.which("ssh-agent"):
        pytest.skip("there is no ssh-agent here")
    said = subprocess.run(["ssh-agent", "-s", "-a", tmp_path / "agent"], check=True, capture_output=True, text=True)
    pid = int(said.stdout.split("SSH_AGENT_PID=")[1].split(";")[0])
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))

    def add(key):
        path = tmp_path / "added"
        key.write_private_key(path)
        path.chmod(0o600)
        subprocess.run(["ssh-add", "-q", path], check=True)
        path.unlink()

    yield add
    os.kill(pid, signal.SIGTERM)


def public(key):
    """Give a key's public half, as type and text."""
    return " ".join(key.export_public_key().decode().split()[:2])


def test_the_passphrase_opens_the_key(room, encrypted):
    """An encrypted key file is opened by its passphrase."""
    room.access = replace(room.access, passphrase=Secret(value=WORDS))

    migrating(room, "echo in").migrate(a_server())

    assert room.lines("migrate") == ["in"]


def test_a_passphrase_is_asked_for_once(room, encrypted):
    """However many servers are logged in to at once, the operator is asked once; the words are in no repr."""
    asked = []
    room.access = replace(room.access, passphrase=Passphrase(lambda: asked.append(1) or WORDS))
    hosts = migrating(room, "true")
    servers = [a_server(name=f"web-{number}") for number in range(3)]
    threads = [threading.Thread(target=hosts.migrate, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (asked, room.sshd.logins) == ([1], 3)
    assert WORDS not in repr(room.access)


def test_no_passphrase_is_asked_for_without_need(room):
    """A key file that is not encrypted needs none."""
    room.access = replace(room.access, passphrase=Passphrase(lambda: pytest.fail("asked")))

    migrating(room, "echo in").migrate(a_server())

    assert room.lines("migrate") == ["in"]


def test_a_wrong_passphrase(encrypted):
    """Words that do not open the key are a mistake that names the file."""
    access = SshAccess(key_file=encrypted, passphrase=Secret(value="wrong"))

    with pytest.raises(SettingsError, match=r"id_own cannot be used: .* the passphrase is wrong"):
        login_key(access)


def test_the_agent_opens_an_encrypted_key(room, encrypted, agent, key):
    """When the SSH agent holds an encrypted key, nobody is asked for its passphrase."""
    agent(key)
    room.access = replace(room.access, passphrase=Passphrase(lambda: pytest.fail("asked")))

    migrating(room, "echo in").migrate(a_server())

    assert room.lines("migrate") == ["in"]


def test_a_pub_file_names_a_key_of_the_agent(room, agent, key, tmp_path):
    """As with ssh's IdentityFile: only that key of the agent is offered, and its private half need not be here."""
    agent(asyncssh.generate_private_key("ssh-ed25519"))
    agent(key)
    (tmp_path / "id.pub").write_bytes(key.export_public_key())
    room.sshd.authorized[:] = [key.export_public_key().decode()]
    room.access = replace(room.access, key_file=tmp_path / "id.pub")

    migrating(room, "echo in").migrate(a_server())

    assert room.lines("migrate") == ["in"]
    assert room.sshd.refusals == 0


def test_several_servers_at_once_by_the_agent(room, agent, key, tmp_path):
    """The agent signs for many logins side by side."""
    agent(key)
    (tmp_path / "id.pub").write_bytes(key.export_public_key())
    room.sshd.authorized[:] = [key.export_public_key().decode()]
    room.access = replace(room.access, key_file=tmp_path / "id.pub")
    hosts = migrating(room, "echo in")
    servers = [a_server(name=f"web-{number}") for number in range(8)]
    threads = [threading.Thread(target=hosts.migrate, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert room.lines("migrate") == ["in"] * 8


def test_an_agent_without_the_key(agent, key, tmp_path):
    """A `.pub` file whose key the agent does not hold is a mistake that says what to do."""
    (tmp_path / "id.pub").write_bytes(key.export_public_key())

    with pytest.raises(SettingsError, match=r"(?s)agent does not hold the key of .*id\.pub.*ssh-add"):
        login_key(SshAccess(key_file=tmp_path / "id.pub"))


def test_a_pub_file_that_holds_no_key(tmp_path):
    """A `.pub` file that is something else is a mistake that names it."""
    (tmp_path / "id.pub").write_text("nothing\n")

    with pytest.raises(SettingsError, match=r"id\.pub holds no public SSH key"):
        login_key(SshAccess(key_file=tmp_path / "id.pub"))


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_the_public_half_takes_no_passphrase(tmp_path, algorithm):
    """The cloud is given the public half, which OpenSSH's format shows: `status` asks nobody for a passphrase."""
    key = asyncssh.generate_private_key(algorithm)
    key.write_private_key(tmp_path / "id", passphrase=WORDS)
    access = SshAccess(key_file=tmp_path / "id", passphrase=Passphrase(lambda: pytest.fail("asked")))

    assert public_line(access) == public(key)


def test_the_public_half_of_an_old_format_takes_one(tmp_path):
    """A key in the old PEM format shows nothing of itself: its passphrase is asked for."""
    key = asyncssh.generate_private_key("ssh-rsa")
    key.write_private_key(tmp_path / "id", format_name="pkcs1-pem", passphrase=WORDS)

    assert public_line(SshAccess(key_file=tmp_path / "id", passphrase=Secret(value=WORDS))) == public(key)
