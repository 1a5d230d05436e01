"""Ways to private IPs: through a gateway, whose key the user's own known_hosts has to know. Over real SSH."""

import threading
from dataclasses import replace
from http.server import ThreadingHTTPServer

import asyncssh
import pytest

from tasks.errors import CheckFailed, HostUnreachable, UntrustedHost, WrongHostKey
from tasks.hosts.access import GatewayAddress
from tasks.hosts.app import AppCommands, Check
from tasks.hosts.gateway import Gateway
from tasks.hosts.login_key import login_key
from tasks.waiting import Patience
from tests.hosts.conftest import a_server, migrating
from tests.hosts.sshd import SshServer
from tests.hosts.test_check import Site


@pytest.fixture
def gateway(room, tmp_path, monkeypatch):
    """Give a jump host that the user knows and that lets us in; the room's server is reached through it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / ".ssh").mkdir()
    (tmp_path / "gateway").mkdir()
    server = SshServer(tmp_path / "gateway", address="127.77.0.2")
    server.authorized = list(room.sshd.authorized)
    server.start()
    room.access = replace(room.access, gateway=GatewayAddress(user="jump", host=server.address, port=server.port))
    known_as(server, server.host_key, tmp_path)
    yield server
    server.close()


def known_as(server, key, home):
    """Let the user's known_hosts know a server by a key."""
    text = f"[{server.address}]:{server.port} {key.export_public_key().decode()}"
    (home / ".ssh" / "known_hosts").write_text(text)


def test_servers_are_reached_through_the_gateway(room, gateway):
    """Whatever runs on servers goes through one login at the gateway, by addresses that the gateway can reach."""
    hosts = migrating(room, "echo behind")
    hosts.migrate(a_server(name="web-1"))
    hosts.migrate(a_server(name="web-2"))

    assert room.lines("migrate") == ["behind", "behind"]
    assert (gateway.logins, room.sshd.logins) == (1, 2)
    assert gateway.forwarded == [(room.sshd.address, room.sshd.port)] * 2
    assert gateway.commands == []


def test_a_server_behind_a_gateway_is_trusted_by_its_own_key(room, gateway):
    """A gateway vouches for nothing: a server that shows a wrong key is refused there as well."""
    room.console = room.sshd.console(asyncssh.generate_private_key("ssh-ed25519"))

    with pytest.raises(WrongHostKey):
        migrating(room, "true").migrate(a_server())

    assert room.sshd.logins == 0


def test_an_unknown_gateway_is_not_logged_in_to(room, gateway, tmp_path):
    """A gateway whose host key is not in known_hosts is refused at once, with the command that would put it there."""
    (tmp_path / ".ssh" / "known_hosts").unlink()

    with pytest.raises(UntrustedHost, match=r"known_hosts does not know it") as refused:
        migrating(room, "true").migrate(a_server())

    assert f"ssh -p {gateway.port} jump@127.77.0.2" in str(refused.value)
    assert (gateway.logins, room.sshd.logins, room.clock.time) == (0, 0, 0)


def test_a_gateway_with_another_key_is_not_logged_in_to(room, gateway, tmp_path):
    """A man in the middle before the gateway is refused; no server is blamed, and so none is replaced for it."""
    known_as(gateway, asyncssh.generate_private_key("ssh-ed25519"), tmp_path)

    with pytest.raises(UntrustedHost, match="another SSH host key than") as refused:
        migrating(room, "true").migrate(a_server())

    assert not isinstance(refused.value, WrongHostKey)
    assert (gateway.logins, room.sshd.logins) == (0, 0)


def test_a_gateway_that_refuses_us(room, gateway):
    """A gateway that does not take our keys is an error at once: no server will ever be reached."""
    gateway.authorized.clear()

    with pytest.raises(HostUnreachable, match=r"the gateway jump@127\.77\.0\.2:\d+ refuses our keys"):
        migrating(room, "true").migrate(a_server())

    assert room.clock.time == 0


def test_a_key_of_the_users_own_opens_the_gateway(room, gateway, tmp_path):
    """A gateway need not know the deploy's key: the user's keys in ~/.ssh are offered there, and only there."""
    own = asyncssh.generate_private_key("ssh-ed25519")
    own.write_private_key(tmp_path / ".ssh" / "id_ed25519")
    (tmp_path / ".ssh" / "id_ed25519").chmod(0o600)
    gateway.authorized[:] = [own.export_public_key().decode()]

    migrating(room, "echo in").migrate(a_server())

    assert room.lines("migrate") == ["in"]
    assert room.sshd.refusals == 0


def test_a_server_that_is_not_up_yet_behind_the_gateway(room, gateway):
    """What the gateway cannot connect to is looked at again until the deadline; the error says who was asked."""
    room.sshd.close()
    room.access = replace(room.access, patience=Patience(limit=3.0))

    with pytest.raises(HostUnreachable, match=r"jump@127\.77\.0\.2:\d+ could not connect to it"):
        migrating(room, "true").migrate(a_server())

    assert room.clock.time == pytest.approx(3)


def test_a_gateway_that_is_lost_is_logged_in_to_again(room, gateway):
    """A connection that was cut between two stages is opened again, the one to the gateway too."""
    hosts = migrating(room, "echo here")
    hosts.migrate(a_server())
    gateway.drop_connections()
    hosts.migrate(a_server())

    assert room.lines("migrate") == ["here", "here"]
    assert gateway.logins == 2


@pytest.fixture
def site(room):
    """Run a site on the server's address."""
    room.install("bin/start", "true\n")
    site = ThreadingHTTPServer((room.sshd.address, 0), Site)
    site.answer, site.paths = (200, {}, b"ok" * 100_000), []
    thread = threading.Thread(target=site.serve_forever, args=(0.02,))
    thread.start()
    room.app = AppCommands(node_port=site.server_port, check=Check(path="/healthz", deadline=3.0))
    yield site
    site.shutdown()
    thread.join()
    site.server_close()


def test_the_check_goes_through_the_gateway(room, gateway, site):
    """The app is asked on its private IP from the gateway, since that IP cannot be reached from here."""
    room.hosts().check(a_server())

    assert site.paths == ["/healthz"]
    assert (room.sshd.address, site.server_port) in gateway.forwarded


def test_an_answer_through_the_gateway_is_told(room, gateway, site):
    """A wrong answer is shown with its first lines, as without a gateway."""
    site.answer = (500, {}, b"Server Error\n")

    with pytest.raises(CheckFailed, match=r"(?s)it answered 500.*    Server Error"):
        room.hosts().check(a_server())


def test_an_app_that_does_not_listen_behind_the_gateway(room, gateway):
    """What the gateway cannot connect to means "not up yet" until the deadline."""
    room.install("bin/start", "true\n")
    room.app = AppCommands(node_port=1, check=Check(deadline=2.0))

    with pytest.raises(CheckFailed, match="could not connect to it"):
        room.hosts().check(a_server())


def test_a_gateway_can_be_logged_in_to_before_there_is_a_server(room, gateway):
    """Whether it lets us in is known without a private IP; nothing is forwarded, and once more costs no login."""
    way = Gateway(room.access.gateway, lambda: login_key(room.access))
    way.log_in(5.0)
    way.log_in(5.0)
    way.close()

    assert (gateway.logins, gateway.forwarded) == (1, [])


def test_a_gateway_that_does_not_listen_is_named(room, gateway):
    """What cannot be reached is an error that names the gateway, not a bare error of the network."""
    gateway.close()

    with pytest.raises(HostUnreachable, match=rf"the gateway jump@127.77.0.2:{gateway.port} cannot be reached"):
        Gateway(room.access.gateway, lambda: login_key(room.access)).log_in(5.0)
