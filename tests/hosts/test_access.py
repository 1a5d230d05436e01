"""Logging in: with which key, and by which way. Over real SSH."""

from dataclasses import replace

import asyncssh
import pytest

from tasks.errors import HostUnreachable, SettingsError
from tasks.hosts.access import Secret, SshAccess
from tasks.hosts.keys import deploy_key
from tasks.waiting import Patience
from tests.hosts.conftest import a_server, migrating
from tests.hosts.sshd import SshServer


def test_a_key_that_is_injected_late(room):
    """A login that is refused in the first seconds means "not up yet" as well."""
    ours = room.sshd.authorized.pop()
    room.clock.then = lambda: room.sshd.authorized.append(ours)

    migrating(room, "echo welcome").migrate(a_server())

    assert room.lines("migrate") == ["welcome"]


def test_a_key_that_is_never_taken(room):
    """A login that is refused for longer than key injection takes is an error that says so, before the deadline."""
    room.sshd.authorized.clear()
    room.access = replace(room.access, patience=replace(room.access.patience, limit=600.0))

    with pytest.raises(HostUnreachable, match="it refuses our key for 'root'"):
        migrating(room, "true").migrate(a_server())

    assert 20 < room.clock.time < 60


@pytest.mark.parametrize("content", [None, "no key\n", ""])
def test_a_key_file_that_cannot_be_used(room, tmp_path, content):
    """A key file that is missing or holds no key is a mistake in the settings, named by its path."""
    path = tmp_path / "my-key"
    if content is not None:
        path.write_text(content)
    room.access = replace(room.access, key_file=path)

    with pytest.raises(SettingsError, match="my-key"):
        migrating(room, "true").migrate(a_server())


def test_an_encrypted_key_in_memory(room):
    """A private key may be given as text, encrypted; neither it nor its passphrase is shown by a repr."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    text = key.export_private_key(passphrase="correct horse").decode()
    room.sshd.authorized.append(key.export_public_key().decode())
    room.access = SshAccess(private_key=Secret(value=text), passphrase=Secret(value="correct horse"))

    migrating(room, "echo in").migrate(a_server())

    assert room.lines("migrate") == ["in"]
    assert "PRIVATE KEY" not in repr(room.access)
    assert "horse" not in repr(room.access)


def test_an_encrypted_key_without_its_passphrase(room):
    """An encrypted key without a passphrase is a mistake in the settings that says what to do."""
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key(passphrase="correct horse").decode()
    room.access = SshAccess(private_key=Secret(value=key))

    with pytest.raises(SettingsError, match="encrypted"):
        migrating(room, "true").migrate(a_server())


def test_an_ssh_config_applies_only_when_it_is_named(room, tmp_path, monkeypatch):
    """`~/.ssh/config` is not read; an ssh_config that the settings name is."""
    (tmp_path / ".ssh").mkdir()
    config = tmp_path / ".ssh" / "config"
    config.write_text(f"Host *\n  ProxyCommand touch {tmp_path}/was-read\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    room.access = replace(room.access, connect_timeout=0.3, patience=replace(room.access.patience, limit=0.0))

    migrating(room, "true").migrate(a_server())
    assert not (tmp_path / "was-read").exists()

    room.access = replace(room.access, ssh_config=config)
    with pytest.raises(HostUnreachable):
        migrating(room, "true").migrate(a_server())
    assert (tmp_path / "was-read").exists()


def test_an_ssh_config_that_is_not_there(room, tmp_path):
    """An ssh_config that the settings name but that is missing is a mistake in the settings."""
    room.access = replace(room.access, ssh_config=tmp_path / "nowhere")

    with pytest.raises(SettingsError, match=r"the ssh_config .*/nowhere cannot be used"):
        migrating(room, "true").migrate(a_server())


@pytest.fixture
def gateway(tmp_path, monkeypatch):
    """Give an SSH server that others are reached through, and an ssh_config that says so."""
    (tmp_path / "gateway").mkdir()
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    server = SshServer(tmp_path / "gateway", address="127.77.0.2")
    server.start()
    key = deploy_key(tmp_path / "state")
    server.authorized.append(key.public_line)
    jump = f"root@{server.address}:{server.port}"
    (tmp_path / "config").write_text(f"Host 127.77.0.1\n  ProxyJump {jump}\nHost *\n  IdentityFile {key.path}\n")
    yield server
    server.close()


def test_a_gateway(room, gateway, tmp_path):
    """Servers behind a gateway are reached by an ssh_config's ProxyJump, if known_hosts knows the gateway."""
    room.access = replace(room.access, ssh_config=tmp_path / "config")
    host_key = gateway.host_key.export_public_key().decode()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[{gateway.address}]:{gateway.port} {host_key}")

    hosts = migrating(room, "echo behind")
    hosts.migrate(a_server())
    hosts.close()

    assert room.lines("migrate") == ["behind"]
    assert (gateway.logins, room.sshd.logins) == (1, 1)


def test_an_unknown_gateway(room, gateway, tmp_path):
    """A gateway whose host key is not known is not logged in to."""
    room.access = replace(room.access, ssh_config=tmp_path / "config", patience=Patience(limit=1.0))

    with pytest.raises(HostUnreachable, match=r"'\[127\.77\.0\.2\]:\d+' not found in known_hosts"):
        migrating(room, "true").migrate(a_server())

    assert (gateway.logins, room.sshd.logins) == (0, 0)
