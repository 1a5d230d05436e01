"""What servers are given before they boot: sizes, and what must not be in it."""

import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import stat
import tarfile
from pathlib import Path

import pytest

from tasks.errors import SettingsError
from tasks.hosts import injected
from tasks.localcloud.machines.cloudconfig import parse

SCRIPTS = Path(__file__).parents[2] / "bootstrap_scripts"
RC_LOCAL, STAGE1, STARTER = "/etc/rc.local", "/etc/rc.local.stage1", "/etc/cron.d/initialrunner"


@pytest.fixture
def scripts(tmp_path):
    """Give a copy of the project's scripts."""
    return Path(shutil.copytree(SCRIPTS, tmp_path / "scripts"))


def packed(stage1: str) -> dict[str, tarfile.TarInfo]:
    """Unpack what stage1 carries."""
    content = base64.b64decode(re.search(r"<<'ARCHIVE'.*?\n(.*)\nARCHIVE\n", stage1, re.DOTALL)[1])
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as archive:
        return {member.name: member for member in archive.getmembers()}


def test_only_what_machine_scripts_need_is_carried(scripts):
    """Machine scripts and what they install are carried; release scripts, templates and texts for people are not."""
    (scripts / "files").mkdir()
    (scripts / "files" / "motd").write_text("Welcome\n")
    names = packed(injected.stage1(scripts)).keys()

    assert {"10-user.sh", "30-boot.sh", "bin/run", "bin/start", "files/motd"} <= {
        name.removeprefix("bootstrap_scripts/") for name in names
    }
    assert not [name for name in names if re.search(r"/(5|6)|injected|on_request|\.md$", name)]


def test_scripts_stay_executable(scripts):
    """Scripts and programs can be executed where they are unpacked; other files cannot."""
    (scripts / "motd").write_text("Welcome\n")
    members = packed(injected.stage1(scripts))

    assert stat.S_IMODE(members["bootstrap_scripts/10-user.sh"].mode) == 0o755
    assert stat.S_IMODE(members["bootstrap_scripts/bin/start"].mode) == 0o755
    assert stat.S_IMODE(members["bootstrap_scripts/motd"].mode) == 0o644


def test_the_same_scripts_make_the_same_text():
    """Nothing but the scripts is in it: made twice, it is the same."""
    assert injected.stage1(SCRIPTS) == injected.stage1(SCRIPTS)


def test_the_files_of_the_2011_way():
    """Three small files are injected, within the usual limits (5 of 10,240 bytes)."""
    files = injected.personality(SCRIPTS)

    assert files.keys() == {RC_LOCAL, STAGE1, STARTER}
    assert all(len(content) <= 10_240 and len(path) <= 255 for path, content in files.items())
    assert files[RC_LOCAL] == b"#!/bin/sh\n/srv/app/bin/start\n"
    # Cron ignores a last line without a newline, and what the starter looks for is the last line of the others.
    assert all(content.endswith(b"\n") for content in files.values())


def test_user_data_is_a_cloud_config():
    """Cloud-init, and the local cloud as well, find a file that root alone can run, and run it."""
    read = parse(injected.user_data(injected.run_at_first_boot(SCRIPTS)).encode())

    [file] = read.files
    assert (file.path, file.mode, file.contents.decode()) == (
        "/var/lib/disposable-servers/stage1", 0o700, injected.stage1(SCRIPTS),
    )  # fmt: skip
    assert read.script == b"#!/bin/sh\n/var/lib/disposable-servers/stage1\n"
    assert read.ignored == ()


def test_user_data_has_room_for_more():
    """Other parts of a #cloud-config, such as host keys, stand beside ours, whatever characters they have."""
    more = {"ssh_keys": {"ed25519_private": "-----BEGIN\n: #'\"\\ é 😀\n"}}
    read = parse(injected.user_data({**injected.run_at_first_boot(SCRIPTS), **more}).encode())

    assert read.host_keys == more["ssh_keys"]
    assert len(read.files) == 1


def test_no_parts_make_no_user_data():
    """Where nothing is to be said, nothing is sent."""
    assert injected.user_data({}) == ""


def test_user_data_begins_as_cloud_init_wants_it():
    """The first line tells what it is; the rest is JSON, and so YAML."""
    first, rest = injected.user_data({"runcmd": [["true"]]}).split("\n", 1)

    assert first == "#cloud-config"
    assert json.loads(rest) == {"runcmd": [["true"]]}


@pytest.mark.parametrize(("length", "fits"), [(65_535, True), (65_536, False)])
def test_trap_27_user_data_is_measured_as_it_is_sent(length, fits):
    """The limit counts base64 characters; novaclient makes them, so what is given is the text itself."""
    frame = len(injected.user_data({"x": ""}))
    # Four characters for three bytes: 65,535 is no multiple of four, 65,532 is the last that is.
    text = "a" * (length // 4 * 3 - frame)

    if fits:
        assert len(base64.b64encode(injected.user_data({"x": text}).encode())) <= length
    else:
        with pytest.raises(SettingsError, match="has 65536 characters once encoded, and 65535 is the most"):
            injected.user_data({"x": text})


def test_scripts_that_are_too_large_for_user_data(scripts):
    """Large files beside the scripts are a mistake that is told before any server exists."""
    (scripts / "noise").write_bytes(hashlib.shake_128(b"seed").digest(60_000))

    with pytest.raises(SettingsError, match=r"(?s)user data for new servers.*bootstrap = push"):
        injected.user_data(injected.run_at_first_boot(scripts))


def test_a_folder_of_scripts_without_templates(scripts):
    """One's own folder of scripts without the templates is a mistake that says which file to copy."""
    shutil.rmtree(scripts / "injected")

    with pytest.raises(SettingsError, match=r"there is no bootstrap_scripts/injected/stage1 in .*(?s:.*)copy it"):
        injected.stage1(scripts)
