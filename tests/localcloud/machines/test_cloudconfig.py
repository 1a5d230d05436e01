"""User data, as cloud-init reads it."""

import base64
import gzip

import pytest

from tasks.localcloud.machines.cloudconfig import UserData, UserDataError, WrittenFile, parse


@pytest.mark.parametrize("data", [None, b"", b" \n"])
def test_nothing_is_asked_for(data):
    """Absent or empty user data asks for nothing."""
    assert parse(data) == UserData()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_script_is_kept_to_the_byte(pack):
    """A script stays as it is, and may come compressed."""
    assert parse(pack(b"#!/bin/sh\n\xff")).script == b"#!/bin/sh\n\xff"


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("text/plain", "hello"),
        ("b64", base64.b64encode(b"hello").decode()),
        ("gz+b64", base64.b64encode(gzip.compress(b"hello", mtime=0)).decode()),
        ("gzip+base64", base64.b64encode(gzip.compress(b"hello", mtime=0)).decode()),
    ],
)
def test_written_files_are_decoded(encoding, content):
    """write_files takes plain, base64 and gzip contents."""
    config = f"#cloud-config\nwrite_files: [{{path: /a, encoding: {encoding}, content: '{content}'}}]\n"

    assert parse(config.encode()).files == (
        WrittenFile(path="/a", contents=b"hello", mode=0o644, owner="root:root", append=False),
    )


def test_runcmd_becomes_a_script():
    """A string of runcmd goes to the shell; a list is quoted, so that each item stays one argument."""
    assert parse(b"#cloud-config\nruncmd: ['a | b', [echo, 'x y', 3]]\n").script == b"#!/bin/sh\na | b\necho 'x y' 3\n"


def test_unknown_parts_are_named():
    """What a local server does not honour is listed, for the console."""
    assert parse(b"#cloud-config\npackages: [vim]\n").ignored == ("packages",)
    assert parse(b"Content-Type: multipart/mixed\n").ignored != ()


@pytest.mark.parametrize("text", ["- a\n- b\n", "write_files: [{content: x}]\n", "a: [\n"])
def test_wrong_cloud_config_is_an_error(text):
    """A #cloud-config that is not the mapping it has to be is refused."""
    with pytest.raises(UserDataError, match="#cloud-config"):
        parse(b"#cloud-config\n" + text.encode())
