"""Counting connections: against the kernel's own tables, read over SSH, and as pure text."""

import socket
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tasks.errors import NotFound
from tasks.hosts.app import AppCommands
from tasks.hosts.drain import count, said
from tests.hosts.conftest import Room, a_server

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0205A8C0:1F90 0905A8C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
   2: 0205A8C0:1F90 0905A8C0:C351 06 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
   3: 0205A8C0:1F91 0905A8C0:C352 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0 20 4 30 10 -1
   4: 0305A8C0:1F90 0905A8C0:C353 01 00000000:00000000 00:00000000 00000000     0        0 5 1 0 20 4 30 10 -1
   5: 0905A8C0:C350 0205A8C0:1F90 01 00000000:00000000 00:00000000 00000000     0        0 6 1 0 20 4 30 10 -1
"""
MAPPED = "   9: 0000000000000000FFFF00000205A8C0:1F90 0000000000000000FFFF00000905A8C0:C354 01 00000000:00000000\n"
IPV6 = "   9: B80D0120000000000000000001000000:1F90 B80D0120000000000000000002000000:C354 01 00000000:00000000\n"
BIG_ENDIAN = "   1: C0A80502:1F90 C0A80509:C350 01 00000000:00000000 00:00000000 00000000\n"


@pytest.mark.parametrize(
    ("table", "address", "number"),
    [
        (TABLE, "192.168.5.2", 1),
        (TABLE, "192.168.5.3", 1),
        (TABLE, "192.168.5.9", 0),
        (TABLE + MAPPED, "192.168.5.2", 2),
        (IPV6, "2001:db8::1", 1),
        (BIG_ENDIAN, "192.168.5.2", 1),
        ("", "192.168.5.2", 0),
    ],
)
def test_only_established_connections_at_the_address_and_port_count(table, address, number):
    """Listening and closing sockets, other ports, other addresses and the far end of a connection do not count."""
    assert count(table, address, 8080) == number


def test_connections_are_counted_on_the_server(room):
    """The connections that the kernel knows at the private IP and node port are counted."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((room.sshd.address, 0)))
        port = listener.getsockname()[1]
        other = stack.enter_context(socket.create_server(("127.77.0.9", port)))
        for end in (listener, listener, other):
            stack.enter_context(socket.create_connection(end.getsockname()))
            stack.enter_context(end.accept()[0])
        room.app = AppCommands(node_port=port)
        hosts = room.hosts()

        assert hosts.connections(a_server()) == 2

    assert hosts.connections(a_server()) == 0


def test_ipv4_connections_to_an_ipv6_socket_count(room):
    """Connections over IPv4 count as well when the app listens on an IPv6 socket."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_INET6))
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((f"::ffff:{room.sshd.address}", 0))
        listener.listen()
        port = listener.getsockname()[1]
        stack.enter_context(socket.create_connection((room.sshd.address, port)))
        room.app = AppCommands(node_port=port)

        assert room.hosts().connections(a_server()) == 1


def test_a_server_that_does_not_know_our_key(room):
    """A server made from another machine refuses our key: there is no number, at once, and it is not asked again."""
    room.sshd.authorized.clear()
    hosts = room.hosts()

    assert [hosts.connections(a_server()) for _ in range(3)] == [None] * 3
    assert (room.sshd.refusals, room.clock.time) == (1, 0)


def test_another_machine_with_the_right_key(room, tmp_path):
    """On a machine that never saw a server its host keys are read from the console, and its connections are counted."""
    room.hosts().connections(a_server())
    room.folder = tmp_path / "another machine"

    assert room.hosts().connections(a_server()) == 0
    assert room.sshd.logins == 2


def test_a_sealed_server_is_not_asked(room):
    """Nobody can log in to a sealed server, so nobody tries."""
    sealed = replace(a_server(), labels=replace(a_server().labels, sealed=True))

    assert room.hosts().connections(sealed) is None
    assert (room.sshd.logins, room.clock.time) == (0, 0)


def test_a_server_that_refuses_connections(room):
    """A server that was sealed without its metadata saying so is not waited for: its port refuses at once."""
    hosts = room.hosts()
    room.sshd.close()

    assert hosts.connections(a_server()) is None
    assert room.clock.time == 0


def test_a_server_that_is_back(sshd, tmp_path):
    """A server that could not be reached for a while is asked again, unlike one that refused our key."""
    with socket.create_server((sshd.address, 0)) as listener:
        sshd.port = listener.getsockname()[1]
    hosts = Room(sshd, tmp_path).hosts()
    assert hosts.connections(a_server()) is None

    sshd.start()

    assert hosts.connections(a_server()) == 0
    hosts.close()


def test_keys_that_the_console_has_forgotten(room):
    """A server whose host keys cannot be found out any more is not asked, and its console is not read again."""
    reads = []
    hosts = room.hosts(lambda server_id: reads.append(server_id) or "login:")

    assert hosts.connections(a_server()) is None
    first = len(reads)
    assert hosts.connections(a_server()) is None

    assert (len(reads), room.sshd.logins, room.clock.time) == (first, 0, 0)


def test_a_server_without_a_console(room):
    """Where the cloud gives no console for a server that we do not know, there is no number either."""

    def no_console(_):
        raise NotFound("no console")

    hosts = room.hosts(no_console)

    assert hosts.connections(a_server()) is None


def test_a_number_of_connections_is_told_once(room):
    """Counting is done every second; what people see is when the number has changed."""
    hosts = room.hosts()
    for _ in range(2):
        hosts.connections(a_server())

    assert room.lines("drain") == ["no connections"]


@pytest.mark.parametrize(("number", "words"), [(0, "no connections"), (1, "1 connection"), (12, "12 connections")])
def test_connections_in_words(number, words):
    """As they stand after "draining"."""
    assert said(number) == words
