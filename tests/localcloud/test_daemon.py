"""Details of the daemon that only show inside its process."""

import socket

from tasks.localcloud.daemon import listen


def test_answers_are_not_held_back():
    """The API's socket names its protocol: without, asyncio leaves Nagle's algorithm on and each answer waits 40 ms."""
    with listen("127.9.0.1") as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert listener.getsockname()[0] == "127.9.0.1"
