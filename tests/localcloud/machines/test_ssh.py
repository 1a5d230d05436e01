"""The SSH server of a server, as Fabric and other clients meet it."""

import asyncio
import io

import asyncssh
import fabric
import paramiko
import pytest


@pytest.fixture(scope="module")
def server(lab):
    """Boot a server with nothing special."""
    return lab.boot()


@pytest.fixture
def fabric_connection(lab, server):
    """Open a Fabric connection as an operator would."""
    connection = fabric.Connection(
        server.private_ip,
        user="root",
        port=server.ssh_port,
        connect_kwargs={"key_filename": str(lab.key_file), "look_for_keys": False, "allow_agent": False},
        config=fabric.Config(lazy=True, overrides={"run": {"in_stream": False}}),
    )
    connection.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    with connection:
        yield connection


def test_fabric_gets_output_and_exit_status(fabric_connection):
    """Fabric sees standard output, standard error and the exit status of a command."""
    result = fabric_connection.run("echo out; echo err >&2; exit 3", hide=True, warn=True)

    assert (result.stdout, result.stderr, result.exited) == ("out\n", "err\n", 3)


@pytest.mark.parametrize("pty", [False, True])
def test_no_output_is_lost_at_the_end(fabric_connection, pty):
    """The last byte of a long output arrives before the session closes."""
    result = fabric_connection.run("seq 200000; echo the end", hide=True, pty=pty)

    assert result.stdout.split()[-3:] == ["200000", "the", "end"]
    assert len(result.stdout.split()) == 200002


def test_fabric_passes_standard_input_and_environment(fabric_connection):
    """A command reads what Fabric feeds it and sees the environment that Fabric sets."""
    result = fabric_connection.run(
        'read line; echo "$line $GREETING"', in_stream=io.StringIO("hello\n"), env={"GREETING": "world"}, hide=True
    )

    assert result.stdout == "hello world\n"


def test_fabric_puts_and_gets_files(fabric_connection, tmp_path):
    """Files arrive unchanged over sftp, and a relative path means root's home."""
    (tmp_path / "sent").write_bytes(bytes(range(256)) * 4096)

    fabric_connection.put(str(tmp_path / "sent"), "received")
    fabric_connection.get("/root/received", str(tmp_path / "returned"))

    assert (tmp_path / "returned").read_bytes() == (tmp_path / "sent").read_bytes()


def test_terminal_is_a_terminal(lab, server):
    """A command with a terminal finds one of the client's size, and is the leader of it."""

    async def run():
        async with lab.connect(server) as connection:
            result = await connection.run("tty; stty size", term_type="xterm", term_size=(91, 33))
            return result.stdout.split()

    assert lab.run(run()) == ["/dev/pts/0", "33", "91"]


def test_login_shell_runs_what_is_typed(lab, server):
    """A session without a command is root's login shell."""

    async def run():
        async with lab.connect(server) as connection:
            result = await connection.run(input="shopt -q login_shell && echo login in $PWD; exit 5\n")
            return result.stdout, result.exit_status

    assert lab.run(run()) == ("login in /root\n", 5)


def test_signals_reach_the_command_and_come_back(lab, server):
    """A signal sent by the client ends the command, and the client learns which one it was."""

    async def run():
        async with lab.connect(server) as connection:
            process = await connection.create_process("echo ready; exec sleep 60")
            await process.stdout.readline()
            process.send_signal("TERM")
            return (await process.wait()).exit_signal[0]

    assert lab.run(run()) == "TERM"


def test_many_sessions_share_a_connection(lab, server):
    """Twenty commands at the same time on one connection each get their own output."""

    async def run():
        async with lab.connect(server) as connection:
            results = await asyncio.gather(*(connection.run(f"cat; echo {n}", input=f"{n} ") for n in range(20)))
            return [result.stdout for result in results]

    assert lab.run(run()) == [f"{n} {n}\n" for n in range(20)]


def test_command_ends_when_its_client_leaves(lab, server):
    """What a client started ends with its connection, and what it detached goes on."""

    async def leave():
        connection = await lab.connect(server)
        process = await connection.create_process(
            "setsid sh -c 'echo $$ > /run/detached; exec sleep 300' >/dev/null 2>&1 </dev/null & "
            "until test -s /run/detached; do sleep 0.02; done; echo $$; exec sleep 300"
        )
        pid = (await process.stdout.readline()).strip()
        connection.abort()
        return pid

    pid = lab.run(leave())

    lab.sh(server, f"for i in $(seq 400); do test -d /proc/{pid} || exit 0; sleep 0.02; done; exit 1")
    assert lab.sh(server, "test -d /proc/$(cat /run/detached) && echo alive; kill $(cat /run/detached)") == "alive"


def test_only_root_with_an_authorized_key_gets_in(lab, server):
    """Other users, other keys and passwords are refused."""
    stranger = asyncssh.generate_private_key("ssh-ed25519")

    for options in (
        {"username": "daemon"},
        {"client_keys": [stranger]},
        {"client_keys": None, "password": "", "agent_path": None},
    ):
        with pytest.raises(asyncssh.PermissionDenied):
            lab.run(lab.connect(server, **options).__aenter__())


def test_key_taken_away_no_longer_opens(lab):
    """A server whose authorized keys were emptied lets nobody in: it is sealed."""
    spec = lab.boot()
    lab.sh(spec, ": > /root/.ssh/authorized_keys")

    with pytest.raises(asyncssh.PermissionDenied):
        lab.sh(spec, "true")


def test_server_is_a_gateway_to_another(lab, server):
    """A connection through one server reaches another, as OpenSSH allows by default."""
    other = lab.boot(hostname="web-2")

    async def through():
        async with lab.connect(server) as gateway, lab.connect(other, tunnel=gateway) as connection:
            return (await connection.run("hostname")).stdout

    assert lab.run(through()) == "web-2\n"
