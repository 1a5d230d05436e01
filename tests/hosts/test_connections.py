"""Connections: what "not up yet" means, how one serves all stages, and how everything is ended. Over real SSH."""

import shlex
import socket
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from tasks.errors import ConnectionLost, HostUnreachable, Interrupted
from tasks.hosts.connection import unreachable
from tasks.waiting import WallClock
from tests.hosts.conftest import Room, a_server, migrating


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

    with pytest.raises(ConnectionLost, match="it was lost while migrate ran echo begun"):
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
        with connection, suppress(OSError):
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


def free_port(address: str) -> int:
    """Find a port at which nothing listens."""
    with socket.create_server((address, 0)) as listener:
        return listener.getsockname()[1]


def test_what_answers_at_the_port_is_quoted_with_care():
    """The reason is one visible line of bearable length, and the command to type next is one for a shell."""
    name = "web'; touch pwned; '"
    error = unreachable(a_server(name=name), "no SSH banner: \x1b[2J\n" + "x" * 5000)

    assert r"no SSH banner: \x1b[2J xxx" in error.problem
    assert len(error.problem) < 1000
    assert shlex.split(error.advice.partition(": ")[2]) == ["fab", "servers.console", "--server", name]
