"""Logging in: with which key, and by which way. Over real SSH."""

from dataclasses import replace

import asyncssh
import pytest

from tasks.errors import HostUnreachable, SettingsError
from tasks.hosts.access import Secret, SshAccess
from tests.hosts.conftest import a_server, migrating


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


def test_no_ssh_config_is_read(room, tmp_path, monkeypatch):
    """`~/.ssh/config` does not apply: a deploy does the same from everybody's machine."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(f"Host *\n  ProxyCommand touch {tmp_path}/was-read\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    migrating(room, "echo in").migrate(a_server())

    assert room.lines("migrate") == ["in"]
    assert not (tmp_path / "was-read").exists()
