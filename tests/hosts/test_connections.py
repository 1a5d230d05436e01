"""Logging in: which keys are trusted, what "not up yet" means, and how everything is ended. Over real SSH."""

import base64
import socket
import stat
import subprocess
import threading
from dataclasses import replace

import asyncssh
import pytest

from tasks.errors import HostUnreachable, Interrupted, SettingsError, UntrustedHost
from tasks.hosts.access import Secret, SshAccess
from tasks.hosts.app import AppCommands
from tasks.hosts.console_keys import END
from tasks.hosts.keys import deploy_key
from tasks.waiting import Patience, WallClock
from tests.hosts.conftest import Room, a_server
from tests.hosts.sshd import SshServer


def migrating(room: Room, *commands: str):
    """Open hosts, and run migrations that are these commands; each is a line of its own on the server."""
    room.install("bin/run", 'exec "$@"\n')
    room.app = AppCommands(node_port=8000, migrate="\n".join(commands))
    return room.hosts()


def test_only_the_keys_on_the_console_are_trusted(room):
    """A server that shows another host key than it printed is not logged in to; both fingerprints are named."""
    other = asyncssh.generate_private_key("ssh-ed25519")
    room.console = room.sshd.console(other)

    with pytest.raises(UntrustedHost) as refused:
        migrating(room, "true").migrate(a_server())

    assert room.sshd.host_key.get_fingerprint() in str(refused.value)
    assert other.get_fingerprint() in str(refused.value)
    assert (room.sshd.logins, room.sshd.refusals) == (0, 0)


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


def test_keys_that_come_late(room):
    """Host keys that appear on the console while we look for them are taken."""
    late, room.console = room.console, ""
    hosts = migrating(room, "echo done")
    room.clock.then = lambda: setattr(room, "console", late)

    hosts.migrate(a_server())

    assert room.lines("migrate") == ["done"]


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


def test_one_connection_serves_all_stages(room):
    """All stages of a server use one SSH connection."""
    hosts = migrating(room, "true")

    hosts.migrate(a_server())
    hosts.connections(a_server())
    hosts.migrate(a_server())

    assert room.sshd.logins == 1


def test_a_lost_connection_is_opened_again(room):
    """A connection that was cut between two stages is opened again."""
    hosts = migrating(room, "echo here")
    hosts.migrate(a_server())
    room.sshd.drop_connections()
    hosts.migrate(a_server())

    assert room.lines("migrate") == ["here", "here"]
    assert room.sshd.logins == 2


def test_a_connection_that_is_lost_during_a_command(room):
    """A command whose connection is cut is not run again; the error says which it was."""
    hosts = migrating(room, "echo begun; exec sleep 60")
    room.printed = Listening(lambda: threading.Thread(target=room.sshd.drop_connections).start())

    with pytest.raises(HostUnreachable, match="it was lost while migrate ran echo begun"):
        hosts.migrate(a_server())

    assert len(room.sshd.commands) == 1


class Listening(list):
    """A list that does something with the first line that is added to it."""

    def __init__(self, then) -> None:
        super().__init__()
        self._then = then

    def append(self, line):
        """Add a line."""
        super().append(line)
        if len(self) == 1:
            self._then()


def test_stop_ends_commands_at_once(room):
    """A command that would run for a minute ends as Interrupted as soon as everything is told to stop."""
    hosts = migrating(room, "echo begun; exec sleep 60")
    room.printed = Listening(lambda: threading.Thread(target=hosts.stop).start())

    with pytest.raises(Interrupted, match="migrate was stopped on web-1"):
        hosts.migrate(a_server())
    with pytest.raises(Interrupted):
        hosts.migrate(a_server())


def test_hosts_work_again_after_close(room):
    """What was stopped can be used again once it is closed: a revert counts connections over SSH."""
    hosts = migrating(room, "true")
    hosts.migrate(a_server())
    hosts.stop()
    hosts.close()

    assert hosts.connections(a_server()) == 0


def test_stop_ends_a_login_that_hangs(room):
    """A server that takes a connection and says nothing does not hold up a stop."""
    with socket.create_server((room.sshd.address, 0)) as silent:
        room.sshd.port = silent.getsockname()[1]
        room.access = replace(room.access, connect_timeout=60.0)
        hosts = migrating(room, "true")

        def stop_when_connected():
            silent.accept()
            hosts.stop()

        threading.Thread(target=stop_when_connected).start()
        with pytest.raises(Interrupted):
            hosts.migrate(a_server())


def test_a_server_that_is_not_up_yet_is_looked_at_again(sshd, tmp_path):
    """A connection that is refused means "not up yet": the server is used as soon as it listens."""
    sshd.port = free_port(sshd.address)
    room = Room(sshd, tmp_path)
    hosts = migrating(room, "echo up")
    room.clock.then = sshd.start

    hosts.migrate(a_server())

    assert room.lines("migrate") == ["up"]
    hosts.close()


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


def test_a_server_that_never_listens(sshd, tmp_path):
    """A server that refuses connections until the deadline is an error that says so and what to do."""
    sshd.port = free_port(sshd.address)
    room = Room(sshd, tmp_path)

    with pytest.raises(HostUnreachable, match=r"waited 30 s for SSH on web-1; .*onnect.*") as error:
        migrating(room, "true").migrate(a_server())

    assert "fab servers.console --server web-1" in str(error.value)


def test_a_server_that_speaks_no_ssh(room):
    """Something else on the SSH port is "not up yet" until the deadline, and then an error."""
    with socket.create_server((room.sshd.address, 0)) as web:
        room.sshd.port = web.getsockname()[1]
        stop = threading.Event()
        threading.Thread(target=hang_up_on_all, args=(web, stop)).start()
        try:
            with pytest.raises(HostUnreachable, match=r"waited 30 s for SSH on web-1; \S+"):
                migrating(room, "true").migrate(a_server())
        finally:
            stop.set()


def hang_up_on_all(listener: socket.socket, stop: threading.Event) -> None:
    """Answer each connection with a line that is not SSH's, and close it."""
    listener.settimeout(0.1)
    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            continue
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_no_private_ip(room):
    """A server without a private IP is an error that names it."""
    with pytest.raises(HostUnreachable, match="web-1 has no private IP"):
        migrating(room, "true").migrate(a_server(None))


def test_several_servers_side_by_side(room):
    """A command on one server does not wait for one on another."""
    hosts = migrating(room, "mkdir seen-$PPID; until test $(ls -d seen-* | wc -l) = 3; do sleep 0.02; done")
    servers = [a_server(name=f"web-{number}") for number in range(3)]
    threads = [threading.Thread(target=hosts.migrate, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert [thread.is_alive() for thread in threads] == [False] * 3


def test_a_clock_that_is_stopped_ends_the_wait_for_a_server(sshd, tmp_path):
    """While a server is waited for, stopping the clock ends the wait."""
    room = Room(sshd, tmp_path)
    room.clock = clock = WallClock()
    room.console = ""
    timer = threading.Timer(0.1, clock.stop)
    timer.start()

    with pytest.raises(Interrupted):
        migrating(room, "true").migrate(a_server())
    timer.join()


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


def free_port(address: str) -> int:
    """Find a port at which nothing listens."""
    with socket.create_server((address, 0)) as listener:
        return listener.getsockname()[1]
