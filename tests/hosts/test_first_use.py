"""Trust on first use: the first key is believed, said so once, and held on to."""

import asyncssh
import pytest

from tasks.errors import WrongHostKey
from tasks.hosts.first_use import WARNING, FirstUse
from tests.hosts.conftest import a_server, migrating


@pytest.fixture
def warnings(room):
    """Have the room trust on first use; give what it warns of."""
    told = []
    room.introduction = FirstUse(told.append)
    return told


def test_the_first_key_is_believed(room, warnings):
    """A server of which nothing is known is logged in to, whatever key it shows; the key is kept."""
    migrating(room, "echo in").migrate(a_server())

    known = (room.folder / "state" / "known_hosts").read_text()
    assert room.lines("migrate") == ["in"]
    assert room.sshd.host_key.export_public_key().decode().split()[1] in known


def test_the_operator_is_warned_once(room, warnings):
    """However many servers are believed, one warning says what that means."""
    hosts = migrating(room, "true")

    hosts.migrate(a_server(name="web-1"))
    hosts.migrate(a_server(name="web-2"))

    assert warnings == [WARNING]


def test_another_key_later_is_refused(room, warnings):
    """Once a key is kept, a server that shows another one is refused, in this deploy and in later ones."""
    hosts = migrating(room, "true")
    hosts.migrate(a_server())
    room.sshd.drop_connections()
    room.sshd.show(asyncssh.generate_private_key("ssh-ed25519"))

    for later in (hosts, room.hosts()):
        with pytest.raises(WrongHostKey):
            later.migrate(a_server())
