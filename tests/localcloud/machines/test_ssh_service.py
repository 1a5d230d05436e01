"""The SSH server of a server as a service: reloaded, stopped, and switched off for good."""

import asyncio

import asyncssh
import pytest

NEW_KEY = (
    "rm /etc/ssh/ssh_host_*_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key;"
    " service ssh reload; cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub"
)


@pytest.fixture
def server(lab):
    """Boot a server that a test may spoil."""
    spec = lab.boot()
    yield spec
    lab.run(lab.hypervisor.delete(spec.id))


def shown_key(lab, server):
    """Give the base64 text of the host key that a new connection is shown."""
    key = lab.run(asyncssh.get_server_host_key(server.private_ip, server.ssh_port, config=None))
    return key.export_public_key().decode().split()[1] if key else None


def listens(lab, server):
    """Say whether a connection to the SSH port is taken."""

    async def knock():
        try:
            _, writer = await asyncio.open_connection(server.private_ip, server.ssh_port)
        except ConnectionRefusedError:
            return False
        writer.close()
        return True

    return lab.run(knock())


def test_new_host_keys_are_shown_once_the_service_is_reloaded(lab, server):
    """`service ssh reload` returns when connections are shown the host keys that lie in /etc/ssh now."""
    before = shown_key(lab, server)

    made = lab.sh(server, NEW_KEY)

    assert shown_key(lab, server) == made != before


def test_new_host_keys_are_kept_over_a_reboot(lab, server):
    """The next boot shows the keys that were made, and no others."""
    made = lab.sh(server, NEW_KEY)

    lab.run(lab.hypervisor.hard_reboot(server.id))

    assert shown_key(lab, server) == made


def test_keys_that_cannot_be_read_change_nothing(lab, server):
    """A reload with a broken key is told on the console; the old keys are shown on."""
    before = shown_key(lab, server)

    lab.sh(server, "echo broken > /etc/ssh/ssh_host_ed25519_key; service ssh reload")

    assert shown_key(lab, server) == before
    assert "sshd: stays as it is" in lab.hypervisor.console(server.id)


def test_a_stopped_service_refuses_connections_until_it_is_started(lab, server):
    """`service ssh stop` closes the port, an open connection goes on, and `service ssh start` opens the port again."""

    async def stop_and_start():
        async with lab.connect(server) as connection:
            await connection.run("service ssh stop", check=True)
            with pytest.raises(ConnectionRefusedError):
                await lab.connect(server).__aenter__()
            await connection.run("service ssh start", check=True)

    lab.run(stop_and_start())

    assert listens(lab, server)


def test_a_stopped_service_is_back_after_a_reboot(lab, server):
    """Stopped is not disabled."""
    lab.sh(server, "service ssh stop")

    lab.run(lab.hypervisor.hard_reboot(server.id))

    assert listens(lab, server)


def test_a_service_that_is_not_to_be_run_stays_off_over_reboots(lab, server):
    """/etc/ssh/sshd_not_to_be_run keeps the SSH server from being started (Debian, openssh-server's README.Debian)."""
    lab.sh(server, "touch /etc/ssh/sshd_not_to_be_run; service ssh stop")

    lab.run(lab.hypervisor.hard_reboot(server.id))

    assert not listens(lab, server)
    assert "sshd: not started" in lab.hypervisor.console(server.id)


def test_other_services_are_not_known(lab, server):
    """Only the SSH server is a service here; anything else is refused."""
    with pytest.raises(asyncssh.ProcessError, match="1"):
        lab.sh(server, "service cron stop")


def test_servers_that_are_plain_processes_have_the_service_too(plain_lab):
    """Without namespaces the same command stops the server's own SSH server, and no other machine's."""
    spec = plain_lab.boot()
    plain_lab.sh(spec, "service ssh stop")

    assert not listens(plain_lab, spec)
