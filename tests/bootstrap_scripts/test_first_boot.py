"""What a server does by itself at its first boot: stage1, and the starter by which cron gets to run it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.hosts import injected
from tasks.localcloud.machines.crontab import Entry, parse
from tests.bootstrap_scripts.servers import SCRIPTS, FolderServer, plain_release

STARTER, STAGE1, RC_LOCAL = "etc/cron.d/initialrunner", "etc/rc.local.stage1", "etc/rc.local"


@dataclass(frozen=True, kw_only=True)
class Bare:
    """A server that is to set itself up: injected files arrive, and cron ticks."""

    server: FolderServer
    scripts: Path

    @property
    def files(self) -> dict[str, bytes]:
        """What is injected, by path without the first slash."""
        return {path.lstrip("/"): content for path, content in injected.personality(self.scripts).items()}

    def at(self, path: str) -> Path:
        """Name a file of the server."""
        return self.server.root / path

    def script(self, name: str, text: str) -> None:
        """Write a bootstrap script."""
        (self.scripts / name).write_text(f"#!/bin/sh\n{text}\n")

    def inject(self, path: str, content: bytes | None = None) -> None:
        """Put an injected file there, read-only and not executable."""
        file = self.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_bytes(self.files[path] if content is None else content)
        file.chmod(0o444)

    def tick(self) -> None:
        """Start what cron has to start in a minute, and wait until it has ended."""
        for started in self.begin_tick():
            started.wait(timeout=30)

    def begin_tick(self) -> list[subprocess.Popen[bytes]]:
        """Start what cron has to start in a minute."""
        crontab = self.at(STARTER)
        entries = list(parse(crontab.read_text())) if crontab.exists() else []
        return [self._start(entry) for entry in entries]

    def _start(self, entry: object) -> subprocess.Popen[bytes]:
        assert isinstance(entry, Entry)
        environment = {"PATH": os.environ["PATH"], "SERVER_ROOT": str(self.server.root), "HOME": "/"}
        return subprocess.Popen(["sh", "-c", entry.command], env=environment | dict(entry.environment))

    @property
    def state(self) -> dict[str, str]:
        """What the first boot has left, by name."""
        folder = self.at("var/lib/disposable-servers")
        return {file.name: file.read_text() for file in folder.iterdir()} if folder.is_dir() else {}


@pytest.fixture
def bare(server: FolderServer, tmp_path: Path) -> Bare:
    """Give a bare server, and a folder with one script for its machine."""
    bare = Bare(server=server, scripts=tmp_path / "scripts")
    (bare.scripts / "injected").mkdir(parents=True)
    for template in (SCRIPTS / "injected").iterdir():
        (bare.scripts / "injected" / template.name).write_text(template.read_text())
    bare.script("10-count.sh", 'echo ran >>"$SERVER_ROOT/ran"')
    return bare


@pytest.fixture
def injected_files(bare: Bare) -> Bare:
    """Give a server into which all files were injected."""
    for path in bare.files:
        bare.inject(path)
    return bare


def test_the_starter_runs_every_minute() -> None:
    """The starter is one entry that is due in every minute, as root, and no percent sign cuts it short."""
    [entry] = parse((SCRIPTS / "injected" / "initialrunner").read_text())

    assert isinstance(entry, Entry)
    assert entry.schedule
    assert entry.schedule.minutes == set(range(60))
    assert (entry.user, entry.standard_input) == ("root", "")


def test_cron_sets_the_machine_up(injected_files: Bare) -> None:
    """At cron's next tick the machine scripts run, both files of the boot are executable, and the starter is gone."""
    injected_files.tick()

    assert injected_files.at("ran").read_text() == "ran\n"
    assert injected_files.state["bootstrap.done"] == "0\n"
    assert os.access(injected_files.at(RC_LOCAL), os.X_OK)
    assert os.access(injected_files.at(STAGE1), os.X_OK)
    assert not injected_files.at(STARTER).exists()


@pytest.mark.parametrize("late", [STAGE1, RC_LOCAL])
def test_cron_begins_before_a_file_is_there(bare: Bare, late: str) -> None:
    """A starter that fires before the other files were injected does nothing, stays, and runs stage1 once they are."""
    for path in bare.files:
        if path != late:
            bare.inject(path)
    bare.tick()
    assert not bare.state
    assert bare.at(STARTER).exists()

    bare.inject(late)
    bare.tick()

    assert bare.at("ran").read_text() == "ran\n"


@pytest.mark.parametrize("late", [STAGE1, RC_LOCAL])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.9])
def test_cron_begins_while_a_file_is_half_there(bare: Bare, late: str, part: float) -> None:
    """A file of which only a part has been written yet is neither run nor made executable."""
    for path, content in bare.files.items():
        bare.inject(path, content[: int(len(content) * part)] if path == late else content)
    bare.tick()
    assert not bare.state
    assert not os.access(bare.at(STAGE1), os.X_OK)

    bare.inject(late)
    bare.tick()

    assert bare.at("ran").read_text() == "ran\n"


def test_an_rc_local_of_the_image_is_not_taken_for_ours(bare: Bare) -> None:
    """While the image's own rc.local has not been replaced yet, the starter waits."""
    bare.inject(STARTER)
    bare.inject(STAGE1)
    bare.inject(RC_LOCAL, b"#!/bin/sh\nexit 0\n")

    bare.tick()

    assert not bare.state


def test_two_starters_at_once(injected_files: Bare) -> None:
    """When cron fires twice before the starter has removed itself, one of them runs stage1."""
    both = [*injected_files.begin_tick(), *injected_files.begin_tick()]
    for started in both:
        started.wait(timeout=30)

    assert len(both) == 2
    assert injected_files.at("ran").read_text() == "ran\n"


def test_no_later_tick_runs_it_again(injected_files: Bare) -> None:
    """After stage1 has run, cron has nothing of ours to start."""
    injected_files.tick()
    injected_files.tick()

    assert injected_files.at("ran").read_text() == "ran\n"


def test_a_script_that_fails_is_told(bare: Bare) -> None:
    """The first script that fails ends stage1; what is left says which, with what code, and the last 20 lines."""
    bare.script("20-fail.sh", "seq 100; echo no such package >&2; exit 7")
    bare.script("30-never.sh", 'touch "$SERVER_ROOT/reached"')
    for path in bare.files:
        bare.inject(path)
    bare.tick()

    assert "bootstrap.done" not in bare.state
    first, *tail = bare.state["bootstrap.failed"].splitlines()
    assert first == "bootstrap_scripts/20-fail.sh 7"
    assert tail == [*map(str, range(82, 101)), "no such package"]
    assert not bare.at("reached").exists()


def test_a_damaged_archive_is_told(injected_files: Bare) -> None:
    """Scripts that cannot be unpacked are a failure, not a machine that needs none."""
    content = injected_files.files[STAGE1].decode()
    start = content.index("H4sI") + 20
    injected_files.inject(STAGE1, (content[:start] + "A" * 20 + content[start + 20 :]).encode())
    injected_files.tick()

    assert injected_files.state["bootstrap.failed"].startswith("unpacking ")


def test_release_scripts_do_not_run(bare: Bare) -> None:
    """A script that needs the release is not even there at the first boot."""
    bare.script("50-release.sh", 'touch "$SERVER_ROOT/reached"')
    for path in bare.files:
        bare.inject(path)
    bare.tick()

    assert bare.state["bootstrap.done"] == "0\n"
    assert not bare.at("srv/app/bootstrap_scripts/50-release.sh").exists()


def test_the_projects_own_scripts(server: FolderServer) -> None:
    """The project's own machine scripts set a machine up without a release; the release's then find what they need."""
    bare = Bare(server=server, scripts=SCRIPTS)
    for path in bare.files:
        bare.inject(path)
    bare.tick()
    assert bare.state["bootstrap.done"] == "0\n", bare.state

    server.push(plain_release(hello_txt="hello"), settings={}, procfile="")
    server.set_up_release()

    assert server.run("cat hello.txt").stdout == "hello"


def test_a_boot_without_a_release(server: FolderServer) -> None:
    """A machine that is booted before it has a release starts nothing, and leaves word that it was booted."""
    bare = Bare(server=server, scripts=SCRIPTS)
    for path in bare.files:
        bare.inject(path)
    bare.tick()

    booted = server.start()

    assert (booted.returncode, booted.stdout) == (0, "There is no release here yet; nothing to start.\n")
    assert bare.at("run/disposable-servers/started").exists()
