"""The files in which the output of servers is kept."""

import stat
from pathlib import Path

import pytest

from tasks.report.output import NO_MORE, OutputLog, told_to


def test_each_server_has_its_file(tmp_path):
    """Lines are appended to the file of their server, which only its owner can read."""
    keep = OutputLog(tmp_path)
    keep("web-1", "set up", "one")
    keep("web-2", "test", "two")
    keep("web-1", "migrate", "three")

    assert (tmp_path / "web-1.log").read_text() == "set up: one\nmigrate: three\n"
    assert (tmp_path / "web-2.log").read_text() == "test: two\n"
    assert stat.S_IMODE((tmp_path / "web-1.log").stat().st_mode) == 0o600


def test_a_server_cannot_fill_the_disk(tmp_path):
    """When a server has printed too much, its file says so in its last line, and the others go on."""
    keep = OutputLog(tmp_path, most=100)
    for number in range(1000):
        keep("chatty", "set up", f"line {number}")
    keep("quiet", "set up", "done")

    kept = (tmp_path / "chatty.log").read_bytes()
    assert kept.endswith(b"\n" + NO_MORE)
    assert 100 <= len(kept) < 200
    assert (tmp_path / "quiet.log").read_text() == "set up: done\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_fails_no_deploy(tmp_path):
    """What cannot be written is not kept, and that is all."""
    (tmp_path / "web-1.log").symlink_to("/dev/full")

    OutputLog(tmp_path)("web-1", "set up", "one")


def test_a_folder_that_is_gone_fails_no_deploy(tmp_path):
    """The same when the folder cannot be written to."""
    OutputLog(tmp_path / "gone")("web-1", "set up", "one")


@pytest.mark.parametrize("name", ["../../web", "/etc/web", "a/../web"])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    """Whatever the cloud calls a server, its file is in the folder."""
    OutputLog(tmp_path)(name, "set up", "one")

    assert [path.name for path in tmp_path.iterdir()] == ["web.log"]


@pytest.mark.parametrize("name", ["", "..", "nul\0", "x" * 1000, "half \ud800", "esc\x1b[2J"])
def test_names_that_no_file_should_have(tmp_path, name):
    """A name that no file can have keeps no output; none has anything in it that a listing would obey."""
    OutputLog(tmp_path)(name, "set up", "one")

    assert all(
        (path.name.isprintable() and path.suffix == ".log") or path.name == ".log" for path in tmp_path.iterdir()
    )


def test_a_listener_that_has_gone_keeps_nobody_from_hearing():
    """Whoever read our output, as `head` does, fails no deploy when it goes."""
    heard = []

    def gone(*_line):
        raise BrokenPipeError

    told_to(gone, lambda *line: heard.append(line))("x-1", "test", "a line")

    assert heard == [("x-1", "test", "a line")]
