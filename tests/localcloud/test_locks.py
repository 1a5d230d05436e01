"""Locks on the state directory."""

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.localcloud.locks import exclusive, hold, holder

HOLD_UNTIL_STDIN_CLOSES = """
import sys
from pathlib import Path
from tasks.localcloud.locks import hold
hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path):
    """Give a lock file, and a process that holds it."""
    path = tmp_path / "daemon.lock"
    command = [sys.executable, "-c", HOLD_UNTIL_STDIN_CLOSES, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield path, process
        process.kill()


def test_the_holder_is_known_by_its_pid(lock):
    """Anybody can find out which process holds a lock."""
    path, process = lock

    assert holder(path) == process.pid


def test_a_held_lock_is_refused_to_others(lock):
    """Only one process can hold a lock."""
    with pytest.raises(BlockingIOError):
        hold(lock[0])


def test_a_killed_process_holds_nothing(lock):
    """A lock ends with its process, even with kill -9."""
    path, process = lock
    process.kill()
    process.wait()

    assert holder(path) is None


def test_without_a_file_nobody_holds_it(tmp_path: Path):
    """A lock file that does not exist is held by nobody, and asking does not create it."""
    assert holder(tmp_path / "none") is None
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_was_removed_meanwhile_is_made_anew(tmp_path: Path):
    """Who gets the lock of a directory that its last holder has removed ends up with a directory that exists."""
    directory = tmp_path / "state"
    with exclusive(directory):
        directory.rmdir()
    with exclusive(directory):
        assert directory.is_dir()
