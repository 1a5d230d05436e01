"""Which host keys are trusted: those on the console, and nothing else. Over real SSH."""

import base64
import stat
import subprocess

import asyncssh
import pytest

from tasks.errors import CloudError, CloudUnreachable, Uncertain, UntrustedHost, WrongHostKey
from tasks.hosts.app import AppCommands
from tasks.hosts.console_keys import END, host_keys
from tasks.hosts.console_trust import ConsoleKeys
from tests.hosts.conftest import GENEROUS, a_server, migrating
from tests.hosts.sshd import impostor_at


def test_trap_30_only_the_keys_on_the_console_are_trusted(room):
    """Fabric accepts any host key by itself: one that was not printed on the console is refused, both are named."""
    other = asyncssh.generate_private_key("ssh-ed25519")
    room.console = room.sshd.console(other)

    with pytest.raises(UntrustedHost) as refused:
        migrating(room, "true").migrate(a_server())

    assert room.sshd.host_key.get_fingerprint() in str(refused.value)
    assert other.get_fingerprint() in str(refused.value)
    assert (room.sshd.logins, room.sshd.refusals) == (0, 0)


def test_a_man_in_the_middle_is_refused(room, tmp_path):
    """Another SSH server that has taken over a server's address is not logged in to, and is told nothing."""
    hosts = migrating(room, "true")
    hosts.migrate(a_server())
    room.sshd.close()

    with impostor_at(room.sshd.address, room.sshd.port, tmp_path) as impostor, pytest.raises(WrongHostKey):
        hosts.migrate(a_server())

    assert (impostor.logins, impostor.commands) == (0, [])


def test_a_key_of_another_type_is_not_trusted(room):
    """A server that shows a key of a type that it did not print is not logged in to either."""
    room.console = room.sshd.console(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))

    with pytest.raises(UntrustedHost, match="ecdsa-sha2-nistp256") as refused:
        migrating(room, "true").migrate(a_server())

    assert room.sshd.host_key.get_fingerprint() in str(refused.value)
    assert room.sshd.logins == 0


def test_a_key_that_is_nonsense_does_not_hide_the_others(room):
    """A key that the console's noise has made impossible is left out; the server is trusted by its other one."""
    blob = asyncssh.generate_private_key("ecdsa-sha2-nistp256").public_data
    nonsense = base64.b64encode(blob[:-64] + bytes(64)).decode()
    room.console = room.console.replace(END, f"ecdsa-sha2-nistp256 {nonsense} root@web\r\n{END}")

    migrating(room, "echo in").migrate(a_server())

    assert room.lines("migrate") == ["in"]


def test_plain_ssh_can_use_the_known_hosts_file(room):
    """The known_hosts file is private, and plain `ssh` trusts a server by it."""
    migrating(room, "true").migrate(a_server())
    file = room.folder / "state" / "known_hosts"
    options = [f"-oUserKnownHostsFile={file}", "-oStrictHostKeyChecking=yes", "-oIdentitiesOnly=yes", "-oBatchMode=yes"]
    where = ["-F", "none", "-i", room.access.key_file, "-p", str(room.sshd.port), f"root@{room.sshd.address}"]

    said = subprocess.run(["ssh", *options, *where, "echo hello"], check=True, capture_output=True, text=True).stdout

    assert said == "hello\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_keys_on_the_console(room):
    """A server that prints no keys before the deadline is not logged in to; the error shows how its console ends."""
    room.console = "\x1b[31mcloud-init crashed\x1b[0m\n"

    with pytest.raises(UntrustedHost, match=r"(?s)no SSH host keys on its console within 30 s.*    cloud-init crashed"):
        migrating(room, "true").migrate(a_server())

    assert room.clock.time == pytest.approx(30)
    assert room.sshd.logins == 0


@pytest.mark.parametrize("status", [405, 501])
def test_a_cloud_without_consoles(room, status):
    """A cloud that offers no console output is said to, at once, with the setting that does without."""

    def refused(_server_id):
        raise CloudError("reading the console: not offered", status=status)

    room.app = AppCommands(node_port=8000, migrate="true")
    with pytest.raises(UntrustedHost, match=r'(?s)not offered.*server\.trust = "injected"'):
        room.hosts(refused).migrate(a_server())

    assert room.clock.time == 0


def test_a_cloud_that_refuses_for_another_reason(room):
    """Any other error of the cloud is told as it is."""

    def refused(_server_id):
        raise CloudError("reading the console: no", status=403)

    room.app = AppCommands(node_port=8000, migrate="true")
    with pytest.raises(CloudError, match="the console: no"):
        room.hosts(refused).migrate(a_server())


def test_keys_that_come_late(room):
    """Host keys that appear on the console while we look for them are taken."""
    late, room.console = room.console, ""
    hosts = migrating(room, "echo done")
    room.clock.then = lambda: setattr(room, "console", late)

    hosts.migrate(a_server())

    assert room.lines("migrate") == ["done"]


def test_a_console_that_cannot_be_read_for_a_while(room):
    """An answer of the cloud's that was lost is asked for again; when none comes in time, the cloud's error is told."""
    answers = iter([Uncertain("reading the console: 500"), CloudUnreachable("reading the console: 503")])

    def at_last(_server_id):
        if lost := next(answers, None):
            raise lost
        return room.console

    def never(_server_id):
        raise Uncertain("reading the console: lost")

    keys = ConsoleKeys(at_last, room.clock).meet(a_server(), GENEROUS, room.access)
    with pytest.raises(Uncertain, match="the console: lost"):
        ConsoleKeys(never, room.clock).meet(a_server(), GENEROUS, room.access)

    assert keys == host_keys(room.console)


def test_keys_are_remembered(room):
    """A console that has forgotten its first boot is no matter: a later run knows the server's keys."""
    migrating(room, "true").migrate(a_server())
    room.console = "login:"

    migrating(room, "echo again").migrate(a_server())

    assert room.lines("migrate") == ["again"]


def test_a_server_at_a_used_address_is_another_server(room):
    """Keys are remembered for a server, not for its address: the next one there must print its own."""
    migrating(room, "true").migrate(a_server(name="web-1"))
    room.console = "login:"

    with pytest.raises(UntrustedHost):
        migrating(room, "true").migrate(a_server(name="web-2"))
