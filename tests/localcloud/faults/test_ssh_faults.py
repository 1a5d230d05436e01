"""Bad days at the servers: what SSH clients meet when a fault strikes, with namespaces and without."""

import socket
from collections.abc import Iterator

import asyncssh
import pytest

from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Fault
from tasks.localcloud.machines.spec import Isolation, MachineSpec
from tests.localcloud.daemons import eventually
from tests.localcloud.faults.unlucky import UnluckyLab, unlucky_lab

FOR_EVER = 3600.0


@pytest.fixture(scope="module", params=Isolation)
def whole_lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnluckyLab]:
    """Run a lab for all tests, once with each kind of server."""
    with unlucky_lab(tmp_path_factory.mktemp("unlucky"), request.param) as lab:
        yield lab


@pytest.fixture
def unlucky(whole_lab: UnluckyLab) -> Iterator[UnluckyLab]:
    """Begin and end without any fault or server."""
    yield whole_lab
    whole_lab.clear()


@pytest.fixture
def server(unlucky: UnluckyLab) -> MachineSpec:
    """Boot a server that a test may spoil."""
    return unlucky.boot()


def test_refused_connections_are_reset(unlucky, server):
    """Without seconds, as many connections are reset as were asked for, and the next one is served."""
    unlucky.arm(FaultName.SSH_REFUSED, times=2, seconds=0)

    assert [unlucky.knock(server) for _ in range(3)] == ["ConnectionResetError", "ConnectionResetError", "SSH-2.0"]


def test_a_refusing_port_is_closed(unlucky, server):
    """With seconds, the kernel refuses all connections that come after the first."""
    unlucky.arm(FaultName.SSH_REFUSED, seconds=FOR_EVER)

    assert [unlucky.knock(server) for _ in range(3)] == ["ConnectionResetError", *2 * ["ConnectionRefusedError"]]


def test_a_refusing_port_opens_again(unlucky, server):
    """When the seconds are over the server lets people in."""
    unlucky.arm(FaultName.SSH_REFUSED, seconds=0.1)
    unlucky.knock(server)

    assert eventually(lambda: unlucky.knock(server) == "SSH-2.0")


def test_refusing_leaves_open_connections_alone(unlucky, server):
    """Whoever is logged in already goes on."""

    async def run():
        async with unlucky.lab.connect(server) as connection:
            unlucky.faults.arm(Fault(name=FaultName.SSH_REFUSED, seconds=FOR_EVER))
            with pytest.raises((ConnectionError, asyncssh.ConnectionLost)):
                await unlucky.lab.connect(server)
            return (await connection.run("echo still here")).stdout

    assert unlucky.lab.run(run()) == "still here\n"


def test_a_silent_server_says_nothing(unlucky, server):
    """The connection is taken, not a byte comes, and after the seconds it is closed."""
    unlucky.arm(FaultName.SSH_SILENT, seconds=0.3)

    assert [unlucky.knock(server) for _ in range(2)] == ["closed", "SSH-2.0"]


def test_who_has_enough_of_the_silence_may_go(unlucky, server):
    """A client that leaves a silent connection finds the server as usual on the next one."""
    unlucky.arm(FaultName.SSH_SILENT, seconds=FOR_EVER)
    with socket.create_connection((server.private_ip, server.ssh_port)) as silent:
        silent.sendall(b"SSH-2.0-patience\r\n")

    assert unlucky.knock(server) == "SSH-2.0"


def test_a_command_drops_when_it_has_ended(unlucky, server):
    """A command that ends in time has had its effect; its exit status never arrives. The next command is fine."""
    unlucky.arm(FaultName.SSH_DROPS, seconds=FOR_EVER)

    assert unlucky.run(server, "echo done > ~/done; exit 3") == "cut"
    assert unlucky.run(server, "grep -q done ~/done; exit 3") == 3


def test_a_command_drops_in_the_middle(unlucky, server):
    """A command that takes longer is cut, and ends as it does when its client leaves."""
    unlucky.arm(FaultName.SSH_DROPS, seconds=0.5)

    assert unlucky.run(server, "echo $$ > ~/pid; exec sleep 300") == "cut"
    assert unlucky.run(server, "for i in $(seq 400); do kill -0 $(cat ~/pid) || exit 7; sleep 0.02; done") == 7


def test_the_command_that_drops_can_be_chosen(unlucky, server):
    """`match` is looked for in the server's name and the command."""
    unlucky.arm(FaultName.SSH_DROPS, match="web-1: ./migrate", times=0)

    assert unlucky.run(server, "./migrate || true") == "cut"
    assert unlucky.run(server, "true") == 0


def test_other_servers_are_not_struck(unlucky, server):
    """A fault that is limited to one server waits for it."""
    other = unlucky.boot("api-1")
    unlucky.arm(FaultName.SSH_REFUSED, match="api-", seconds=0)

    assert unlucky.knock(server) == "SSH-2.0"
    assert unlucky.knock(other) == "ConnectionResetError"


def test_ssh_starts_late(unlucky):
    """A server is up all the same, and its SSH server answers when the seconds are over."""
    unlucky.arm(FaultName.SSH_SLOW_START, seconds=FOR_EVER)
    late = unlucky.boot()
    unlucky.arm(FaultName.SSH_SLOW_START, seconds=0.2)
    later = unlucky.boot()

    assert unlucky.knock(late) == "ConnectionRefusedError"
    assert eventually(lambda: unlucky.knock(later) == "SSH-2.0")


def test_a_running_server_dies(unlucky, server):
    """The one that was asked for ends at once, and with it everything that runs there; others go on."""
    doomed = unlucky.boot("web-2")
    running = unlucky.lab.begin(unlucky.outcome(doomed, "sleep 300"))
    unlucky.arm(FaultName.SERVER_DIES, match="web-2", seconds=0)

    assert unlucky.lab.run(unlucky.lab.deaths.get())[0] == doomed.id
    assert running.exception() or running.result() == "cut"
    assert unlucky.knock(doomed) == "ConnectionRefusedError"
    assert unlucky.run(server, "true") == 0


def test_a_server_that_comes_up_dies(unlucky):
    """A fault that was there before the server strikes it as soon as it is up, and once only."""
    unlucky.arm(FaultName.SERVER_DIES, seconds=0)
    doomed = unlucky.boot()

    assert unlucky.lab.run(unlucky.lab.deaths.get())[0] == doomed.id
    unlucky.lab.run(unlucky.lab.hypervisor.power_on(doomed.id))
    assert unlucky.run(doomed, "true") == 0
