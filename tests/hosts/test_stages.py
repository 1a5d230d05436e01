"""What is run on a server in each stage. Over real SSH, with a folder for the server's root."""

import hashlib
import stat
from pathlib import Path

import pytest

from tasks.errors import CommandFailed, Interrupted, ReleaseError, SettingsError
from tasks.hosts.access import Secret
from tasks.hosts.app import AppCommands, Deadlines
from tasks.hosts.output import Lines
from tasks.hosts.running import Command, run
from tests.hosts.conftest import a_server

SECRET = 'it\'s a $ecret "with" `everything`\nand a second line'


def pushes(room):
    """List the commands that unpacked something on the server."""
    return [command for command in room.sshd.commands if "tar -x" in command]


def test_set_up_runs_the_scripts_in_the_order_of_their_names(room):
    """Set-up runs each script whose name begins with a digit, in order, in the app's folder; others are only pushed."""
    room.script("20-second.sh", "echo second in $PWD\n")
    room.script("10-first.sh", "echo first; cat bootstrap_scripts/files/motd\n")
    room.script("helper.sh", "echo never\n")
    (room.scripts / "files").mkdir()
    (room.scripts / "files" / "motd").write_text("Welcome\n")

    room.hosts().set_up(room.server)

    assert room.lines("push") == ["the release is sent"]
    assert room.lines("set up") == ["first", "Welcome", f"second in {room.on_server('').resolve()}"]
    assert {name for name, _, _ in room.printed} == {"web-1"}


def test_set_up_pushes_the_release(room):
    """After set-up the server has the very artifact of its release."""
    room.script("10-first.sh", "true\n")
    room.hosts().set_up(room.server)

    artifact = room.on_server("release.tar.gz").read_bytes()
    assert artifact == room.release().path.read_bytes()
    assert room.on_server("release.sha256").read_text() == hashlib.sha256(artifact).hexdigest() + "\n"


def test_a_release_is_pushed_once(room):
    """A release that the server has already is not sent again; half a release is."""
    room.script("10-first.sh", "true\n")
    server, artifact = room.server, room.on_server("release.tar.gz")
    room.hosts().set_up(server)
    inode = artifact.stat().st_ino
    room.hosts().set_up(server)
    assert artifact.stat().st_ino == inode

    artifact.write_bytes(artifact.read_bytes()[:-100])
    room.hosts().set_up(server)
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in (artifact, room.release().path)]
    assert digests[0] == digests[1]


def test_scripts_that_were_removed_are_removed_on_the_server(room):
    """Set-up again leaves no script of an earlier set-up behind."""
    room.script("10-first.sh", "true\n")
    room.script("20-second.sh", "true\n")
    room.hosts().set_up(room.server)
    (room.scripts / "20-second.sh").unlink()
    room.hosts().set_up(room.server)

    assert [path.name for path in room.on_server("bootstrap_scripts").iterdir()] == ["10-first.sh"]


def test_the_environment_of_the_scripts(room):
    """Scripts find the deploy's variables and the user's own in their environment, whatever characters are in them."""
    room.app = AppCommands(node_port=8000, env={"GREETING": Secret(value=SECRET)})
    room.script("50-first.sh", 'printf %s "$GREETING" > greeting; env > seen\n')
    server = room.server
    room.hosts().set_up(server)

    seen = dict(line.split("=", 1) for line in room.on_server("seen").read_text().splitlines() if "=" in line)
    assert room.on_server("greeting").read_text() == SECRET
    assert {name: seen[name] for name in ("APP_NAME", "ENVIRONMENT", "RELEASE", "GENERATION", "SERVER_NAME")} == {
        "APP_NAME": "shop", "ENVIRONMENT": "test", "RELEASE": server.labels.release, "GENERATION": "g7",
        "SERVER_NAME": "web-1",
    }  # fmt: skip
    assert (seen["PRIVATE_IP"], seen["NODE_PORT"]) == (room.sshd.address, "8000")
    assert seen["SHARED_DIR"] == str(room.sshd.root / "srv/shared")


def test_machine_scripts_get_no_environment(room):
    """A script whose name begins with 0 to 4 sees none of the deploy's variables: it does the same at a first boot."""
    room.app = AppCommands(node_port=8000, env={"GREETING": "hello"})
    room.script("49-last-of-the-machine.sh", 'echo "${GREETING-none} ${RELEASE-none}"\n')
    room.hosts().set_up(room.server)

    assert room.lines("set up") == ["none none"]


def test_the_env_file_is_private(room):
    """Only root can read the env file, and secrets are in no command line."""
    room.app = AppCommands(node_port=8000, env={"KEY": Secret(value="s3cr3t-value")})
    room.script("10-first.sh", "true\n")
    room.hosts().set_up(room.server)

    assert stat.S_IMODE(room.on_server("env").stat().st_mode) == 0o600
    assert not [command for command in room.sshd.commands if "s3cr3t" in command]


def test_names_cannot_break_out(room):
    """A server's name with shell text in it is a name, nothing else."""
    server = a_server(room.sshd.address, name="web'; touch broken; '")
    room.script("50-first.sh", 'printf %s "$SERVER_NAME" > name\n')
    room.hosts().set_up(server)

    assert room.on_server("name").read_text() == server.name
    assert not room.on_server("broken").exists()


def test_the_procfile(room):
    """The processes are written to the Procfile, in the order of the settings."""
    room.app = AppCommands(node_port=8000, processes={"web": "gunicorn shop -b :$NODE_PORT", "worker": "./work"})
    room.script("10-first.sh", "true\n")
    room.hosts().set_up(room.server)

    assert room.on_server("Procfile").read_text() == "web: gunicorn shop -b :$NODE_PORT\nworker: ./work\n"


def test_a_script_that_fails(room):
    """A script that fails ends set-up; the error names server, stage, script, exit code and the last 20 lines."""
    room.script("10-first.sh", "seq 100; echo 'no such package' >&2; exit 7\n")
    room.script("20-second.sh", "touch reached\n")

    with pytest.raises(CommandFailed) as failed:
        room.hosts().set_up(room.server)

    error = failed.value
    assert (error.server, error.stage, error.command) == ("web-1", "set up", "bootstrap_scripts/10-first.sh")
    assert error.command_exit_code == 7
    assert error.tail.splitlines() == [*map(str, range(82, 101)), "no such package"]
    assert not room.on_server("reached").exists()


def test_a_push_that_the_server_cannot_take(room):
    """A push that fails on the server is an error with the server's own words."""
    room.script("10-first.sh", "true\n")
    room.on_server("Procfile").mkdir(parents=True)
    (room.on_server("Procfile") / "x").touch()

    with pytest.raises(CommandFailed, match="tar: Procfile: Cannot open"):
        room.hosts().set_up(room.server)


def test_a_push_that_cannot_be_read_here(room, monkeypatch):
    """A file that cannot be read while it is sent is an error: the server does not go on with half of what it needs."""
    room.script("10-first.sh", "touch reached\n")
    monkeypatch.setattr(Path, "open", unreadable(Path.open))

    with pytest.raises(ReleaseError, match=r"could not be read: .*10-first"):
        room.hosts().set_up(room.server)

    assert not room.on_server("reached").exists()


def unreadable(open_):
    """Open every file but the scripts to be sent."""

    def opened(path, mode="r", *rest, **options):
        if path.suffix == ".sh" and mode == "rb":
            raise PermissionError(13, "Permission denied", str(path))
        return open_(path, mode, *rest, **options)

    return opened


def test_no_bootstrap_scripts(room):
    """A folder without scripts is a mistake in the settings, found before the server is asked anything."""
    with pytest.raises(SettingsError, match="there are no bootstrap scripts"):
        room.hosts().set_up(room.server)

    assert room.sshd.commands == []


def test_a_large_release_is_pushed_whole(room):
    """A release larger than any buffer on the way arrives whole."""
    (room.folder / "shop").mkdir()
    (room.folder / "shop" / "noise").write_bytes(hashlib.shake_128(b"seed").digest(8_000_000))
    room.script("10-first.sh", "true\n")
    room.hosts().set_up(room.server)

    assert room.on_server("release.tar.gz").read_bytes() == room.release().path.read_bytes()


def test_what_a_push_is_written_to_has_no_finalizer(room):
    """An archive leaves it in a cycle: a finalizer could print a traceback on the terminal when that is collected."""
    sinks = []
    command = Command(stage="test", name="cat", script="cat", deadline=30.0, feed=sinks.append)
    run(room.server, command, user=room.access.user, on=room.hosts()._connections, lines=Lines(print))

    assert [hasattr(sink, "__del__") for sink in sinks] == [False]


def test_migrations_and_tests_run_by_bin_run(room):
    """The app's own commands are given to bin/run as one shell command, whatever characters are in them."""
    room.install("bin/run", 'printf "%s|" "$@"; exec "$@"\n')
    room.app = AppCommands(node_port=8000, migrate='echo "it\'s" $((1+1))', test="exit 0")
    hosts = room.hosts()
    hosts.migrate(a_server())
    hosts.test(a_server())

    assert room.lines("migrate") == ["sh|-c|echo \"it's\" $((1+1))|it's 2"]
    assert room.lines("test") == ["sh|-c|exit 0|"]


def test_what_is_not_set_is_skipped(room):
    """An empty command skips its stage: the server is not even logged in to."""
    hosts = room.hosts()
    hosts.migrate(a_server())
    hosts.test(a_server())

    assert room.sshd.logins == 0


def test_tests_that_fail(room):
    """Tests that fail are an error of the stage "test" with what they printed last."""
    room.install("bin/run", 'exec "$@"\n')
    room.app = AppCommands(node_port=8000, test="echo FAILED tests/test_cart.py; exit 1")

    with pytest.raises(CommandFailed, match=r"test failed on web-1: .* exited 1(?s:.*)FAILED tests/test_cart\.py"):
        room.hosts().test(a_server())


def failing(room, script, **settings):
    """Run migrations that fail, and give the error."""
    room.install("bin/run", 'exec "$@"\n')
    room.app = AppCommands(node_port=8000, migrate=script, **settings)
    with pytest.raises(CommandFailed) as failed:
        room.hosts().migrate(a_server())
    return failed.value


def test_output_is_kept_in_order(room):
    """What a command writes to stdout and stderr comes in the order in which it was written."""
    error = failing(room, "for i in 1 2 3; do echo out$i; echo err$i >&2; done; exit 1")

    assert error.tail.split() == ["out1", "err1", "out2", "err2", "out3", "err3"]
    assert room.lines("migrate") == error.tail.splitlines()


def test_the_end_of_the_output_is_not_lost(room):
    """A command that prints much and ends at once is shown to its last line, also without a newline there."""
    error = failing(room, "seq 20000; printf last; exit 1")

    assert len(room.lines("migrate")) == 20001
    assert error.tail.splitlines()[-2:] == ["20000", "last"]


def test_escape_sequences_are_not_shown(room):
    """Colours, cursor movements and other control characters of a server do not reach a terminal."""
    failing(room, r"printf '\033[31mred\033[0m \033]0;title\007\a50%%\r100%%\n'; exit 1")

    assert room.lines("migrate") == ["100%"]


def test_secrets_are_not_shown(room):
    """A secret of the environment that a command prints is hidden, in the output and in the error."""
    error = failing(room, "echo url=postgres://u:hunter''22@db; exit 1", env={"PASSWORD": Secret(value="hunter22")})

    assert error.tail == "url=postgres://u:[hidden]@db"
    assert "hunter22" not in str(error) + repr(room.printed) + repr(room.app)


def test_a_command_that_takes_too_long(room):
    """A command that does not end before its deadline fails; what it printed until then is in the error."""
    error = failing(room, "echo begun; exec sleep 60", deadlines=Deadlines(migrate=0.5))

    assert error.tail.splitlines() == ["begun", "… not ended after 0.5 s, and given up"]


def test_a_command_that_is_killed(room):
    """A command that dies by a signal fails with the shell's exit code for that signal."""
    assert failing(room, "kill -9 $$").command_exit_code == 137


def test_another_user_than_root_uses_sudo(room):
    """With another user than root every command goes through sudo, which must not ask for a password."""
    room.sshd.path = room.folder / "programs"
    room.sshd.path.mkdir()
    sudo = room.sshd.path / "sudo"
    sudo.write_text('#!/bin/sh\nprintf "%s\\n" "$1" >> "$SERVER_ROOT/sudo-calls"; shift; exec "$@"\n')
    sudo.chmod(0o755)
    room.login_as("ubuntu")
    room.script("10-first.sh", "echo set up\n")
    room.hosts().set_up(room.server)

    assert room.lines("set up") == ["set up"]
    assert (room.sshd.root / "sudo-calls").read_text().split() == ["-n"] * len(room.sshd.commands)


def test_names_that_cannot_be_variables():
    """Names that no environment or Procfile can hold are mistakes in the settings, all told at once."""
    with pytest.raises(SettingsError, match=r"variable 'A-B', process name 'my web', command of process 'web'"):
        AppCommands(node_port=1, env={"A-B": "x"}, processes={"my web": "x", "web": "a\nb"})


def test_stop_ends_a_push(room):
    """Set-up that is stopped between two scripts runs no further one."""
    room.script("10-first.sh", "echo one\n")
    room.script("20-second.sh", "touch reached\n")
    hosts = room.hosts()
    room.on_line = lambda line: hosts.stop() if line == "one" else None

    with pytest.raises(Interrupted):
        hosts.set_up(room.server)

    assert not room.on_server("reached").exists()
    assert pushes(room)
