"""Hold points at the servers: SSH sessions are counted with the API's requests, and one of them can be held."""

import asyncio
from collections.abc import Iterator

import asyncssh
import pytest

from tasks.localcloud.faults.holds import Moment
from tasks.localcloud.machines.spec import Isolation, MachineSpec
from tests.localcloud.faults.unlucky import UnluckyLab, unlucky_lab


@pytest.fixture(scope="module", params=Isolation)
def whole_lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnluckyLab]:
    """Run a lab for all tests, once with each kind of server."""
    with unlucky_lab(tmp_path_factory.mktemp("held"), request.param) as lab:
        yield lab


@pytest.fixture(scope="module")
def server(whole_lab: UnluckyLab) -> MachineSpec:
    """Boot a server."""
    return whole_lab.boot("web-1")


@pytest.fixture
def held(whole_lab: UnluckyLab, server: MachineSpec) -> Iterator[UnluckyLab]:
    """Begin and end without a hold point, and without the file that commands leave behind."""
    whole_lab.run(server, "rm -f ~/done")
    yield whole_lab
    whole_lab.release()


def is_done(lab: UnluckyLab, server: MachineSpec) -> bool:
    """Say whether the command that leaves a file behind has had its effect."""
    return lab.run(server, "test -e ~/done") == 0


def test_before_it_begins_a_command_has_no_effect(held, server):
    """A command that is held before stands still; let go, its connection is cut, and nothing has happened."""
    held.hold(2, Moment.BEFORE)
    assert held.run(server, "true") == 0
    command = held.lab.begin(held.outcome(server, "touch ~/done"))

    assert held.until_held() == "ssh web-1: touch ~/done"
    assert not command.done()
    held.release()
    assert command.result() == "cut"
    assert not is_done(held, server)


def test_after_its_end_a_command_has_had_its_effect(held, server):
    """A command that is held after has ended; let go, its connection is cut, and its exit status never arrives."""
    held.hold(1, Moment.AFTER)
    command = held.lab.begin(held.outcome(server, "touch ~/done; exit 3"))

    assert held.until_held() == "ssh web-1: touch ~/done; exit 3"
    assert is_done(held, server)
    assert not command.done()
    held.release()
    assert command.result() == "cut"


@pytest.mark.parametrize("moment", Moment)
def test_a_client_that_is_killed_leaves_it_at_that(held, server, moment):
    """The client of a held command may go: what has not begun never does, and the server serves others."""
    held.hold(1, moment)

    async def be_killed() -> None:
        connection = await held.lab.connect(server)
        process = await connection.create_process("touch ~/done")
        assert await held.holds.until_held(15)
        connection.abort()
        await connection.wait_closed()
        del process

    held.lab.run(be_killed())

    assert is_done(held, server) is (moment is Moment.AFTER)


def test_every_kind_of_session_counts(held, server):
    """A command, a shell and a transfer of files count one each, a connection alone does not."""
    before = held.holds.counted

    async def use() -> None:
        async with held.lab.connect(server) as connection:
            await connection.run("true")
            await connection.run(input="exit\n")
            async with connection.start_sftp_client() as files:
                await files.listdir("/root")

    held.lab.run(use())

    assert held.holds.counted - before == 3


def test_a_transfer_of_files_can_be_held(held, server):
    """It is held before the first file is touched, and cut when it is let go."""
    held.hold(1, Moment.BEFORE)

    async def transfer() -> None:
        async with held.lab.connect(server) as connection, connection.start_sftp_client() as files:
            await files.listdir("/root")

    transferring = held.lab.begin(transfer())

    assert held.until_held() == "ssh web-1: sftp"
    held.release()
    assert isinstance(transferring.exception(), (asyncssh.Error, ConnectionError))


def test_many_sessions_at_once_are_told_apart(held, server):
    """Of many commands on one connection only the armed one is held; all others get their own exit status."""
    held.hold(3, Moment.AFTER)

    async def run() -> set[int]:
        async with held.lab.connect(server) as connection:
            commands = asyncio.as_completed([connection.run(f"exit {number}") for number in range(8)])
            return {(await command).exit_status for _, command in zip(range(7), commands, strict=False)}

    statuses = held.lab.run(run())

    assert len(statuses) == 7
    assert held.until_held() == f"ssh web-1: exit {(set(range(8)) - statuses).pop()}"
