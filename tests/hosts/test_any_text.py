"""Whatever text a user or a cloud chooses, it arrives on a server as that text: through a real shell and a real tar."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import SettingsError
from tasks.hosts import sealing, stages
from tasks.hosts.access import Secret
from tasks.hosts.app import AppCommands, Deadlines
from tasks.hosts.environment import env_file, procfile
from tasks.hosts.push import Parcel, script_names
from tests.hosts.conftest import a_server

PROJECT = Path(__file__).parents[2]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\n"))
NAMES = st.binary(max_size=60).filter(lambda name: not {0, ord("/")} & {*name}).map(lambda it: b"10-" + it + b".sh")
few = settings(max_examples=40, deadline=None)


@contextmanager
def a_root():
    """Make a folder that stands for a server's file system, for a while."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "it's a $(server)")
        (root / "srv/app/bin").mkdir(parents=True)
        yield root


def install(root, name, text):
    """Put a program on the server."""
    program = root / "srv/app" / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def run(root, command, user="root"):
    """Run a command as an SSH server does: by the login shell. Gives what it printed."""
    line = command.line(user).encode(errors="surrogateescape")
    return subprocess.run(
        ["/bin/sh", "-c", line], env={"PATH": f"{root}/programs:{os.environ['PATH']}", "SERVER_ROOT": str(root)},
        input=_fed(command), capture_output=True, check=True,
    ).stdout  # fmt: skip


def _fed(command):
    if command.feed is None:
        return b""
    with tempfile.TemporaryFile() as file:
        command.feed(file)
        file.seek(0)
        return file.read()


def parcel(folder, **files):
    """Give what is pushed: scripts from a folder, an env file and a Procfile."""
    return Parcel(**{"env": "", "procfile": "", "scripts": folder, "artifact": None, "digest": ""} | files)


@few
@given(st.dictionaries(st.from_regex(r"\AV_[A-Za-z0-9_]{0,9}\Z"), TEXTS, max_size=5), TEXTS)
def test_environment_values(values, name):
    """Variables of the app, and the names that a cloud gives, have on the server the values that they have here."""
    server = a_server(name=name)
    text = env_file(server, AppCommands(node_port=8000, env=values))
    wanted = {**values, "SERVER_NAME": name}

    with a_root() as root:
        run(root, stages.push(parcel(root, env=text), Deadlines()))
        found = subprocess.run(
            ["/bin/sh", "-c", ". ./env && env -0"], cwd=root / "srv/app", capture_output=True, check=True
        ).stdout
    found = dict(item.split(b"=", 1) for item in found.split(b"\0") if item)

    assert {key: found[key.encode()].decode() for key in wanted} == wanted


@few
@given(st.binary().filter(lambda value: 0 not in value))
def test_secrets_in_any_encoding(value):
    """A secret that is no text in the operator's environment arrives byte for byte."""
    app = AppCommands(node_port=8000, env={"KEY": Secret(value=value.decode(errors="surrogateescape"))})

    with a_root() as root:
        run(root, stages.push(parcel(root, env=env_file(a_server(), app)), Deadlines()))
        found = subprocess.run(
            ["/bin/sh", "-c", '. ./env && printf %s "$KEY"'], cwd=root / "srv/app", capture_output=True, check=True
        ).stdout

    assert found == value


@few
@given(TEXTS.filter(bool), st.sampled_from(["root", "ubuntu"]))
def test_commands_of_the_app(command, user):
    """A migrate command reaches the app's shell as it stands in the settings, also through sudo."""
    with a_root() as root:
        install(root, "bin/run", 'printf "%s|" "$#" "$1" "$2"; printf %s "$3"')
        (root / "programs").mkdir()
        (root / "programs/sudo").write_text('#!/bin/sh\nshift\nexec "$@"\n')
        (root / "programs/sudo").chmod(0o755)
        said = run(root, stages.migrate(AppCommands(node_port=8000, migrate=command)), user)

    assert said.decode() == f"3|sh|-c|{command}"


@few
@given(NAMES)
def test_names_of_bootstrap_scripts(name):
    """A bootstrap script is pushed and run under its own name, whatever that is, in any encoding."""
    with a_root() as root:
        folder = root / "scripts"
        folder.mkdir()
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text('#!/bin/sh\nprintf %s "$0"\n')
        run(root, stages.push(parcel(folder), Deadlines()))
        (found,) = script_names(folder)
        said = run(root, stages.script(found, Deadlines()))

    assert said == b"./bootstrap_scripts/" + name


@few
@given(TEXTS)
def test_keys_to_be_forgotten(key):
    """A public key is one argument of the program that forgets it."""
    with a_root() as root:
        install(root, "bin/seal", 'printf "%s|" "$#"; printf %s "$1"')
        said = run(root, sealing.seal(key, Deadlines()))

    assert said.decode() == f"1|{key}"


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.from_regex(r"\A[a-z][a-z0-9-]{0,9}\Z"), LINES, max_size=3))
def test_processes(processes):
    """The command of a process reaches its shell as it stands in the settings, read by the real bin/start."""
    text = procfile(AppCommands(node_port=8000, processes=processes))

    with a_root() as root:
        shutil.copy(PROJECT / "bootstrap_scripts/bin/start", root / "srv/app/bin/start")
        # It starts what it starts in the background: whoever reads the pipe waits for them all.
        os.mkfifo(root / "told")
        install(root, "bin/run", '[ "$1" = true ] || printf "%s\\0%s\\0" "$2" "$3" >>"$SERVER_ROOT/told"')
        (root / "srv/app/release").mkdir()
        run(root, stages.push(parcel(root / "srv", procfile=text), Deadlines()))
        told = _told(root / "told", len(processes), lambda: run(root, stages.start(Deadlines())))

    assert told == {name: f" {command}" for name, command in processes.items()}


def _told(pipe, count, act):
    """Read what so many processes write to a pipe, in pairs."""
    reading = os.open(pipe, os.O_RDWR)  # so that it does not end while the next one is only about to write
    try:
        act()
        content = b""
        while content.count(b"\0") < 2 * count:
            content += os.read(reading, 65536)
    finally:
        os.close(reading)
    words = content.decode().split("\0")[:-1]
    return dict(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize(
    "wrong",
    [{"migrate": "a\0b"}, {"test": "\0"}, {"processes": {"web": "a\0"}}, {"env": {"X": Secret(value="s3cret\0")}}],
)
def test_what_no_shell_can_hold(wrong):
    """A NUL byte, which no command line and no environment can hold, is a mistake; no secret is told."""
    with pytest.raises(SettingsError, match="a NUL byte") as refused:
        AppCommands(node_port=8000, **wrong)

    assert "s3cret" not in str(refused.value)
