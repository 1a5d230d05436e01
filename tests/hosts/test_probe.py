"""Probes: the app is asked once, at its private IP and through load balancers. Against real servers on loopback."""

import socket
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from tasks.errors import HostUnreachable
from tasks.hosts.access import Secret
from tasks.hosts.app import AppCommands
from tasks.rollout.model import BalancerStatus, LoadBalancer, VirtualIp
from tests.hosts.conftest import VirtualClock, a_server
from tests.hosts.test_check import site
from tests.hosts.test_route import gateway

__all__ = ["gateway", "site"]


def a_balancer(port, *addresses, protocol="HTTP"):
    """Build a load balancer that listens at these addresses."""
    virtual_ips = tuple(VirtualIp(id=str(number), address=address) for number, address in enumerate(addresses))
    return LoadBalancer(
        id="17", name="shop-test-web", virtual_ips=virtual_ips, port=port, protocol=protocol,
        status=BalancerStatus.ACTIVE,
    )  # fmt: skip


def free_port(address, family=socket.AF_INET):
    """Find a port at which nothing listens."""
    with socket.create_server((address, 0), family=family) as listener:
        return listener.getsockname()[1]


def test_an_app_that_is_well(room, site):
    """The app is asked for its check once, and nothing is said of the expected answer."""
    assert room.hosts().probe(a_server()) == ""
    assert site.paths == ["/healthz"]


def test_a_probe_starts_nothing(room, site):
    """A server that is probed is not logged in to: a sealed one can be probed as well."""
    room.hosts().probe(a_server())

    assert (room.sshd.logins, room.sshd.refusals, room.sshd.commands) == (0, 0, [])


def test_an_app_that_answers_wrongly(room, site):
    """The wrong status is told at once, in one line, with the first line of the body without its escape sequences."""
    site.answer = (500, {}, b"\n\x1b[2J<h1>Server Error</h1>\nTraceback ...")

    said = room.hosts().probe(a_server())

    where = f"http://127.77.0.1:{site.server_port}/healthz"
    assert said == f"GET {where} is to answer 200, but it answered 500: <h1>Server Error</h1>"
    assert (len(site.paths), room.clock.time) == (1, 0)


def test_a_wrong_answer_without_a_body(room, site):
    """The status alone is told where the app says nothing."""
    site.answer = (302, {"Location": "/elsewhere"}, b"")

    assert room.hosts().probe(a_server()).endswith("/healthz is to answer 200, but it answered 302")
    assert site.paths == ["/healthz"]


def test_a_long_body_is_cut(room, site):
    """However long the line is that the app answers with, what is told is short."""
    site.answer = (503, {}, b"x" * 1_000_000)

    assert len(room.hosts().probe(a_server())) < 350


def test_secrets_in_a_body_are_hidden(room, site):
    """An error page that shows the app's environment does not show its secrets to the operator."""
    room.app = replace(room.app, env={"DB_PASSWORD": Secret(value="correct-horse")})
    site.answer = (500, {}, b"DB_PASSWORD=correct-horse")

    said = room.hosts().probe(a_server())

    assert said.endswith("it answered 500: DB_PASSWORD=[hidden]")


def test_an_app_that_does_not_listen(room):
    """A refused connection is told as one, not raised."""
    room.app = AppCommands(node_port=free_port("127.77.0.1"))

    assert room.hosts().probe(a_server()).endswith("but it did not answer (connection refused)")


def test_an_app_that_speaks_no_http(room):
    """An answer that is not HTTP is told, not raised."""
    with socket.create_server(("127.77.0.1", 0)) as listener:
        room.app = AppCommands(node_port=listener.getsockname()[1])
        thread = threading.Thread(target=_answer, args=(listener, b"220 ready\x1b[2J\r\n"))
        thread.start()
        said = room.hosts().probe(a_server())
        thread.join()

    assert said.endswith("but it did not answer (220 ready)")


def _answer(listener, content):
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(content)


class Hasty(VirtualClock):
    """A clock on which a second passes whenever somebody looks at it."""

    def now(self):
        """Give the number of looks."""
        self.time += 1
        return self.time


def test_an_app_that_drips(room):
    """An answer that comes byte by byte, and never to its end, is given up after a while."""
    room.clock = Hasty()
    done = threading.Event()
    with socket.create_server(("127.77.0.1", 0)) as listener:
        room.app = AppCommands(node_port=listener.getsockname()[1])
        thread = threading.Thread(target=_drip, args=(listener, done))
        thread.start()
        said = room.hosts().probe(a_server())
        done.set()
        thread.join()

    assert said.endswith("but it did not answer (it had not said all within 10 s)")


def _drip(listener, done):
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not done.wait(0.005):
            connection.sendall(b"x")


def test_a_server_without_a_private_ip(room):
    """A server that cannot be asked at all is an error of its own: the app is not to blame."""
    with pytest.raises(HostUnreachable, match="web-1 has no private IP"):
        room.hosts().probe(a_server(None))


def test_a_probe_goes_through_the_gateway(room, gateway, site):
    """The app is asked on its private IP from the gateway."""
    assert room.hosts().probe(a_server()) == ""
    assert gateway.forwarded == [("127.77.0.1", site.server_port)]


def test_an_app_that_is_well_behind_its_load_balancer(room, site):
    """The check is asked for at the virtual IP and the listener's port, whichever node port the app has."""
    room.app = replace(room.app, node_port=1)

    assert room.hosts().probe_through(a_balancer(site.server_port, "127.77.0.1")) == ""
    assert site.paths == ["/healthz"]


def test_a_wrong_answer_through_a_load_balancer(room, site):
    """What is told names the virtual IP that was asked, so that nobody looks for a server."""
    site.answer = (503, {}, b"no healthy upstream")

    said = room.hosts().probe_through(a_balancer(site.server_port, "127.77.0.1"))

    where = f"http://127.77.0.1:{site.server_port}/healthz"
    assert said == f"GET {where} is to answer 200, but it answered 503: no healthy upstream"


def test_the_virtual_ip_of_version_4_is_asked(room, site):
    """Of several virtual IPs the first of version 4 is asked, and one that is no address yet is passed over."""
    balancer = a_balancer(site.server_port, "::1", "pending", "127.77.0.1", "127.77.0.9")

    assert room.hosts().probe_through(balancer) == ""
    assert site.paths == ["/healthz"]


@pytest.mark.parametrize("protocol", ["HTTP", "TCP"])
def test_a_virtual_ip_of_version_6(room, protocol):
    """Where there is only one of version 6, that is asked; it is told in brackets."""
    port = free_port("::1", socket.AF_INET6)

    said = room.hosts().probe_through(a_balancer(port, "::1", protocol=protocol))

    assert f"[::1]:{port}" in said
    assert "(connection refused)" in said


@pytest.mark.parametrize("addresses", [(), ("",)])
def test_no_virtual_ip(room, addresses):
    """A load balancer that has no address is told as such."""
    assert room.hosts().probe_through(a_balancer(80, *addresses)) == "shop-test-web has no virtual IP"


@pytest.mark.parametrize("protocol", ["HTTPS", "TCP"])
def test_other_protocols_only_have_to_take_a_connection(room, protocol):
    """Where the protocol is not HTTP, a connection that is taken is enough, and one that is refused is told."""
    with socket.create_server(("127.77.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        balancer = a_balancer(port, "127.77.0.1", protocol=protocol)
        assert room.hosts().probe_through(balancer) == ""

    said = room.hosts().probe_through(balancer)

    assert said == f"127.77.0.1:{port} is to take a connection, but it did not (connection refused)"


@pytest.mark.parametrize("protocol", ["HTTP", "TCP"])
def test_a_private_virtual_ip_is_asked_from_the_gateway(room, gateway, site, protocol):
    """Users of a virtual IP in a private network are there, and so is the gateway."""
    assert room.hosts().probe_through(a_balancer(site.server_port, "127.77.0.1", protocol=protocol)) == ""
    assert gateway.forwarded == [("127.77.0.1", site.server_port)]


@pytest.mark.parametrize("protocol", ["HTTP", "TCP"])
def test_a_public_virtual_ip_is_asked_from_here(room, gateway, site, monkeypatch, protocol):
    """A gateway is the way to private IPs only: what users see on the Internet is asked from this machine."""
    dialled, dial = [], socket.create_connection

    def redirected(address, *more):
        dialled.append(address)
        return dial(("127.77.0.1", site.server_port), *more)

    monkeypatch.setattr(socket, "create_connection", redirected)

    assert room.hosts().probe_through(a_balancer(80, "8.8.8.8", protocol=protocol)) == ""
    assert dialled == [("8.8.8.8", 80)]
    assert gateway.forwarded == []


def test_a_gateway_that_bars_the_way(room, gateway):
    """A gateway that refuses us is an error: whether the app is well is not known."""
    gateway.authorized.clear()
    hosts = room.hosts()

    with pytest.raises(HostUnreachable, match="refuses our keys"):
        hosts.probe(a_server())
    with pytest.raises(HostUnreachable, match="refuses our keys"):
        hosts.probe_through(a_balancer(80, "127.77.0.1"))
