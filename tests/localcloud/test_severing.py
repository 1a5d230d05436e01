"""Cutting connections of a process from outside: exactly those that are meant."""

import contextlib
import os
import socket
import subprocess
import sys

import pytest

from tasks.localcloud.proxy.frontends import Endpoint
from tasks.localcloud.proxy.severing import FIRST_MARK, CannotSever, endpoint, sever_accepted, sever_marked

MARK, OTHER_MARK = FIRST_MARK, FIRST_MARK + 1


@contextlib.contextmanager
def connection(mark: int):
    """Connect to ourselves with a mark; give our side, the other side, and where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        listens = Endpoint(address="127.0.0.1", port=server.getsockname()[1])
        with socket.create_connection(server.getsockname(), timeout=5) as ours:
            ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, mark)
            theirs, _ = server.accept()
            theirs.settimeout(5)
            with theirs:
                yield ours, theirs, listens


def test_a_marked_connection_is_cut_for_both_ends():
    """The process's own side and the far side see the connection end."""
    with connection(MARK) as (ours, theirs, listens):
        assert sever_marked(os.getpid(), listens, MARK) == 1

        assert ours.recv(1) == b""
        assert theirs.recv(1) == b""


def test_a_connection_with_another_mark_stays():
    """Two users of one address do not cut each other's connections."""
    with connection(OTHER_MARK) as (ours, theirs, listens):
        assert sever_marked(os.getpid(), listens, MARK) == 0

        ours.sendall(b"still here")
        assert theirs.recv(100) == b"still here"


def test_accepted_connections_are_cut_by_where_they_were_accepted():
    """What clients connected to is closed, whatever its mark."""
    with connection(OTHER_MARK) as (ours, _, listens):
        assert sever_accepted(os.getpid(), listens) == 1

        assert ours.recv(1) == b""


def test_a_process_that_has_ended_cannot_be_helped():
    """The error says which process and why, and that nobody has to wait for ever."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with connection(MARK) as (_, _, listens), pytest.raises(CannotSever, match="No such process") as failure:
        sever_marked(ended.pid, listens, MARK)

    assert failure.value.pid == ended.pid


@pytest.mark.skipif(sys.byteorder != "little", reason="the kernel writes addresses in its own byte order")
def test_the_kernels_spelling_of_an_address_is_read():
    """/proc/net/tcp has addresses and ports in hexadecimal."""
    assert endpoint("0100007F:1F90") == Endpoint(address="127.0.0.1", port=8080)
