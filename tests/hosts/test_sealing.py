"""Sealing: what is run on a server, and what is made of its port afterwards. Over real SSH."""

import pytest

from tasks.errors import CommandFailed, HostError, SettingsError
from tasks.hosts import sealing
from tests.hosts.conftest import a_server


def test_our_key_is_named(room):
    """The program on the server is told which key is to open no account any more: ours, without its comment."""
    room.install("bin/seal", 'echo "$# $1"\n')
    room.clock.then = room.sshd.close

    room.hosts().seal(a_server())

    ours = room.sshd.authorized[0].split()[1]
    assert room.lines("seal") == [f"1 {ours}"]


def test_a_port_that_still_takes_connections(room):
    """A server counts as sealed only when its port refuses: otherwise the error says that it does not."""
    room.install("bin/seal", "true\n")

    with pytest.raises(HostError, match="web-1 was sealed, but waited 30 s for web-1 to refuse SSH connections"):
        room.hosts().seal(a_server())


def test_a_server_without_the_program(room):
    """A server that was set up without it is not sealed, and the command that is missing is named."""
    with pytest.raises(CommandFailed, match=r"seal failed on web-1: bin/seal exited 127"):
        room.hosts().seal(a_server())


def test_scripts_that_cannot_seal_are_told_beforehand(tmp_path):
    """A folder of bootstrap scripts without the program is a mistake in the settings, before any server is made."""
    with pytest.raises(SettingsError, match="seal: there is no bin/seal in "):
        sealing.require(tmp_path)

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/seal").touch()
    sealing.require(tmp_path)


def test_a_server_that_is_sealed_already_is_left_alone(room):
    """Its port refuses: somebody has sealed it and could not write that down, and nobody can log in to do it again."""
    room.install("bin/seal", "echo sealed\n")
    room.sshd.close()

    room.hosts().seal(a_server())

    assert room.lines("seal") == []
