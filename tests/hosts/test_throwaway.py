"""Trust by an injected throw-away key: good for one connection, and worthless to whoever has it afterwards."""

import json
import shutil
from dataclasses import replace

import asyncssh
import pytest

from tasks.errors import CommandFailed, UntrustedHost, WrongHostKey
from tasks.hosts.throwaway import HOST_KEY, Injected, ThrowAway
from tests.hosts.conftest import a_server, migrating
from tests.hosts.sshd import impostor_at

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="servers make their keys with ssh-keygen")


class Cloud:
    """Holds what a server's metadata says of its host key."""

    def __init__(self) -> None:
        self.key = ThrowAway.make()
        self.host_key = self.key.metadata[HOST_KEY]

    def server(self, *address):
        """Give the server as the cloud describes it now."""
        bare = a_server(*address)
        return replace(bare, labels=replace(bare.labels, host_key=self.host_key))

    def publish(self, _server, key):
        """Note a key."""
        self.host_key = key


@pytest.fixture
def cloud(sshd):
    """Have the server boot with a throw-away key."""
    cloud = Cloud()
    sshd.host_key = asyncssh.import_private_key(cloud.key.private.reveal())
    (sshd.root / "etc/ssh").mkdir(parents=True)
    (sshd.root / "etc/ssh/ssh_host_ed25519_key").write_text(cloud.key.private.reveal())
    sshd.path = sshd.root / "programs"
    sshd.path.mkdir()
    give(sshd, "service", 'test "$*" = "ssh restart" && touch "$SERVER_ROOT/reload"')
    return cloud


@pytest.fixture
def trusting(cloud, room):
    """Give a room whose servers are trusted by their throw-away key."""
    room.introduction = Injected("root", cloud.publish)
    return room


def give(sshd, name, text):
    """Put a program on the server."""
    (sshd.path / name).write_text(f"#!/bin/sh\n{text}\n")
    (sshd.path / name).chmod(0o755)


def own_key(room):
    """Give the ed25519 key that lies on the server now, as type and text."""
    return (room.sshd.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().strip()


def remembered(room):
    """Give what the known_hosts file holds."""
    return (room.folder / "state" / "known_hosts").read_text()


def forget(room):
    """Be another operator, who has no known_hosts file."""
    (room.folder / "state" / "known_hosts").unlink()


def test_the_server_makes_keys_of_its_own(trusting, cloud):
    """Over its first connection a server makes host keys of all types; these are pinned and noted in its metadata."""
    migrating(trusting, "echo in").migrate(cloud.server())

    types = [line.split()[1] for line in remembered(trusting).splitlines()]
    assert trusting.lines("migrate") == ["in"]
    assert types == ["ecdsa-sha2-nistp256", "ssh-ed25519", "ssh-rsa"]
    assert cloud.host_key == own_key(trusting)
    assert cloud.host_key in remembered(trusting)


def test_the_throw_away_key_is_gone(trusting, cloud):
    """After the first connection nothing in /etc/ssh of the server is the throw-away key."""
    migrating(trusting, "true").migrate(cloud.server())

    texts = [file.read_text() for file in (trusting.sshd.root / "etc/ssh").iterdir()]
    assert len(texts) == 6
    assert cloud.key.private.reveal() not in texts
    assert cloud.key.public_line not in "".join(texts) + remembered(trusting)


def test_the_first_connection_is_not_used_for_anything_else(trusting, cloud):
    """What a deploy does on the server goes over a second connection, which is verified by the server's own keys."""
    migrating(trusting, "true").migrate(cloud.server())

    assert trusting.sshd.logins == 2
    assert len(trusting.sshd.commands) == 2


def test_a_man_in_the_middle_who_has_the_throw_away_key_is_refused(trusting, cloud, tmp_path):
    """Whoever reads the user data later can show the throw-away key at the server's address, but is refused."""
    hosts = migrating(trusting, "true")
    hosts.migrate(cloud.server())
    trusting.sshd.close()

    stolen = asyncssh.import_private_key(cloud.key.private.reveal())
    with impostor_at(trusting.sshd.address, trusting.sshd.port, tmp_path, key=stolen) as impostor:
        with pytest.raises(WrongHostKey) as refused:
            hosts.migrate(cloud.server())
        forget(trusting)
        with pytest.raises(WrongHostKey):
            trusting.hosts().migrate(cloud.server())

    assert f"showed the SSH host key {stolen.get_fingerprint()}" in str(refused.value)
    assert (impostor.logins, impostor.commands) == (0, [])


def test_another_operator_goes_on(trusting, cloud):
    """Somebody without our known_hosts file knows the server by the key of its own that its metadata names."""
    migrating(trusting, "true").migrate(cloud.server())
    forget(trusting)

    migrating(trusting, "echo again").migrate(cloud.server())

    assert trusting.lines("migrate") == ["again"]
    assert trusting.sshd.logins == 3


def test_a_server_that_shows_another_key_at_first(trusting, cloud):
    """A server that does not show the key that it was given is refused at once; it is told nothing."""
    cloud.host_key = ThrowAway.make().metadata[HOST_KEY]

    with pytest.raises(WrongHostKey):
        migrating(trusting, "true").migrate(cloud.server())

    assert trusting.sshd.logins == 0


def test_a_server_that_was_made_without_one(trusting, cloud):
    """A server whose metadata names no key, since it was made before the setting, is refused with what to do."""
    cloud.host_key = ""

    with pytest.raises(UntrustedHost, match=r"names no SSH host key.*\nserver\.trust"):
        migrating(trusting, "true").migrate(cloud.server())


def test_a_server_that_cannot_make_keys(trusting, cloud):
    """When making keys fails, the last lines say why, and nothing is pinned."""
    give(trusting.sshd, "ssh-keygen", "echo 'no entropy' >&2; exit 7")

    with pytest.raises(CommandFailed, match=r"making SSH host keys of its own exited 7; .*\n    no entropy"):
        migrating(trusting, "true").migrate(cloud.server())

    assert not (trusting.folder / "state" / "known_hosts").exists()


def test_it_is_a_part_of_a_cloud_config():
    """The key is the server's only one: with ssh_keys in user data no others are made (cloud-init, cc_ssh)."""
    key = ThrowAway.make()

    part = json.loads(json.dumps(key.cloud_config()))

    private = asyncssh.import_private_key(part["ssh_keys"]["ed25519_private"])
    assert private.export_public_key().decode().strip() == part["ssh_keys"]["ed25519_public"] == key.public_line
    assert part["ssh_deletekeys"] is True


def test_it_is_not_shown():
    """Neither the value's repr nor the metadata holds the private half."""
    key = ThrowAway.make()

    assert "PRIVATE" not in repr(key) + str(key) + str(key.metadata)
