"""The journal's lines, for a program that listens."""

import subprocess
import sys

import pytest

from tasks.errors import SettingsError
from tasks.report.stream import stream

WRITES = "from tasks.report.stream import stream\nwrite = stream('-')\n"


def test_a_file_is_begun_anew(tmp_path):
    """The last run's events are not this one's."""
    for number in range(2):
        write = stream(str(tmp_path / "events"))
        write(f"{number}\n")

    assert (tmp_path / "events").read_text() == "1\n"


def test_each_line_is_there_at_once(tmp_path):
    """Whoever listens hears of it as it happens."""
    stream(str(tmp_path / "events"))("one\n")

    assert (tmp_path / "events").read_text() == "one\n"


def test_a_file_that_can_not_be_written_is_said_before_anything_is_done(tmp_path):
    """It is a mistake in the command line, with exit code 2."""
    with pytest.raises(SettingsError, match="can not be written"):
        stream(str(tmp_path / "nowhere/events"))


def test_a_full_disk_ends_the_stream_and_nothing_else():
    """The deploy goes on."""
    write = stream("/dev/full")
    for _ in range(3):
        write("x" * 100 + "\n")


def test_nobody_need_listen():
    """Without a target lines go nowhere."""
    stream(None)("x\n")


def test_lines_go_to_standard_output():
    """As they are."""
    ran = subprocess.run([sys.executable, "-c", f"{WRITES}write('one\\n')"], capture_output=True, text=True, check=True)

    assert (ran.stdout, ran.stderr) == ("one\n", "")


def test_a_listener_that_goes_away_fails_nothing():
    """As `head -1` does: no exit code and no word of it, whatever is written afterwards."""
    code = f"{WRITES}write('one\\n')\nimport sys\nsys.stdin.read()\nfor _ in range(9): write('more\\n')\n"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"one\n"
        process.stdout.close()
        process.stdin.close()

        assert process.stderr.read() == b""
        assert process.wait(60) == 0
