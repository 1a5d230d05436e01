"""What set-up does with what a deploy pushed."""

import json
from pathlib import Path

import pytest

from tests.bootstrap_scripts.servers import FolderServer, archive, plain_release


def test_twice(server: FolderServer) -> None:
    """Set-up is safe to run again: the second run succeeds and changes nothing."""
    server.push(plain_release(hello_txt="hello"), settings={}, procfile="")
    server.set_up()
    before = {path: path.stat().st_mtime_ns for path in server.root.rglob("*") if "bin" not in path.parts}

    assert server.set_up().returncode == 0
    after = {path: path.stat().st_mtime_ns for path in server.root.rglob("*") if "bin" not in path.parts}
    assert before == after


def test_new_release(server: FolderServer) -> None:
    """Another release replaces the one before, whole: no file of the old one stays."""
    server.push(plain_release(old_txt="old"), settings={}, procfile="")
    server.set_up()

    server.push(plain_release(new_txt="new"), settings={}, procfile="")
    server.set_up()

    assert [path.name for path in (server.app / "release" / "app").iterdir()] == ["new.txt"]


@pytest.mark.parametrize("name", ["/tmp/escaped", "../escaped", "app/../../escaped"])
def test_names_that_lead_out(server: FolderServer, name: str) -> None:
    """A release with a path that leads out of its folder is refused, by name, and nothing is unpacked."""
    server.push(archive({"app/fine": "", name: "escaped"}), settings={}, procfile="")

    refused = server.set_up()

    assert refused.returncode == 1
    assert name in refused.stderr
    assert not (server.app / "release").exists()


def test_damaged_release(server: FolderServer) -> None:
    """A release that arrived cut off stops set-up, and what was there stays."""
    whole = plain_release(hello_txt="hello" * 1000)
    server.push(whole, settings={}, procfile="")
    server.set_up()

    server.push(whole[: len(whole) // 2], settings={}, procfile="")

    assert server.set_up().returncode != 0
    assert (server.app / "release" / "app" / "hello.txt").exists()


def test_app_without_python(server: FolderServer) -> None:
    """An app without requirements is set up without a virtual environment, and its commands run."""
    server.push(plain_release(hello_txt="hello"), settings={}, procfile="")
    server.set_up()

    assert server.run("cat hello.txt").stdout == "hello"
    assert not (server.app / "venv").exists()


def test_release_without_wheels(server: FolderServer) -> None:
    """Where the release brings no wheels, its requirements come from the package index."""
    about = {"app": "small", "python": "3", "wheels": False, "requirements": "needs.txt"}
    release = archive({"app/needs.txt": "iniconfig==2.1.0\n", "release.json": json.dumps(about, indent=2)})
    server.push(release, settings={}, procfile="")

    done = server.set_up()

    assert done.returncode == 0, done.stderr
    assert server.run("python -c 'import iniconfig; print(iniconfig.__name__)'").stdout == "iniconfig\n"


def test_requirements_cannot_be_had(server: FolderServer) -> None:
    """Requirements that cannot be had stop set-up, and stop it again: what is half there is not taken for done."""
    about = {"app": "small", "python": "3", "wheels": True, "requirements": "needs.txt"}
    release = archive({"app/needs.txt": "iniconfig==2.1.0\n", "wheels/.keep": "", "release.json": json.dumps(about)})
    server.push(release, settings={}, procfile="")

    for _ in range(2):
        failed = server.set_up()
        assert failed.returncode != 0
        assert "iniconfig==2.1.0" in failed.stderr


def test_settings_reach_the_app(server: FolderServer) -> None:
    """A setting reaches the app's commands as it was given, whatever characters it has."""
    odd = 'it\'s "$HOME" `id` \\ and\nmore'
    server.push(plain_release(), settings={"ODD": odd}, procfile="")
    server.set_up()

    assert server.run('printf %s "$ODD"').stdout == odd


def test_shared_volume(server: FolderServer) -> None:
    """The shared volume is the server's own, and the app can write to it."""
    server.push(plain_release(), settings={"SHARED_DIR": "/srv/shared"}, procfile="")
    server.set_up()

    assert server.run('echo kept >"$SHARED_DIR/file"').returncode == 0
    assert (server.root / "srv" / "shared" / "file").read_text() == "kept\n"


def test_command_fails(server: FolderServer) -> None:
    """A command that fails says so by its own exit code."""
    server.push(plain_release(), settings={}, procfile="")
    server.set_up()

    assert server.run("exit 7").returncode == 7


def test_rc_local_of_the_image(server: FolderServer) -> None:
    """An rc.local that the image brought keeps its lines; the app's start comes before its "exit 0", and once."""
    server.push(plain_release(), settings={}, procfile="")
    rc_local = server.root / "etc" / "rc.local"
    rc_local.parent.mkdir()
    rc_local.write_text("#!/bin/sh\necho from the image\nexit 0\n")

    server.set_up()
    server.set_up()

    start = str(server.app / "bin" / "start")
    assert rc_local.read_text().splitlines() == ["#!/bin/sh", start, "echo from the image", "exit 0"]
    assert server.boot().stdout == "from the image\n"


@pytest.mark.parametrize("name", ["a b", "it's", "$(touch pwned)", "a\\nb", "100%", "-n", "x;y&z"])
def test_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    """Where a folder stands for the server's file system, its name is a name to all scripts and to rc.local."""
    server = FolderServer(root=tmp_path / name)
    server.push(plain_release(hello_txt="hello"), settings={"SHARED_DIR": "/srv/shared"}, procfile="")

    for _ in range(2):
        assert server.set_up().returncode == 0
    booted = server.boot()

    assert (booted.returncode, booted.stderr) == (0, "")
    assert (server.root / "run/disposable-servers/started").exists()
    assert (server.root / "etc/rc.local").read_text().count("bin/start") == 1
    assert server.run('cat hello.txt; printf %s "$SHARED_DIR"').stdout == f"hello{server.root}/srv/shared"
    assert not list(tmp_path.rglob("pwned"))
