"""A server for the bootstrap scripts: a folder that stands for its file system. Everything in it runs for real."""

import hashlib
import io
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = REPOSITORY / "bootstrap_scripts"
SAMPLE_APP = REPOSITORY / "tests" / "sample_app"
DEADLINE = 30.0


def plain_release(**files: str) -> bytes:
    """Return a release without requirements whose app has the given files (an underscore stands for the dot)."""
    contents = {f"app/{name.replace('_', '.')}": text for name, text in (files or {"hello_txt": "hello"}).items()}
    return archive(contents | {"release.json": json.dumps({"app": "plain", "wheels": False, "requirements": None})})


def archive(contents: dict[str, str]) -> bytes:
    """Return a tar.gz of the given texts, under exactly the given names."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def free_port(address: str) -> int:
    """Return a port that nobody listens on at the loopback address."""
    with socket.create_server((address, 0)) as server:
        return server.getsockname()[1]


@dataclass(frozen=True, kw_only=True)
class FolderServer:
    """One server. What a deploy pushes is in its folder; its scripts and commands run for real."""

    root: Path

    @property
    def app(self) -> Path:
        """Where the app lives."""
        return self.root / "srv" / "app"

    def push(self, release: bytes, *, settings: dict[str, str], procfile: str) -> None:
        """Put there what a deploy puts there before set-up."""
        self.app.mkdir(parents=True, exist_ok=True)
        (self.app / "release.tar.gz").write_bytes(release)
        (self.app / "release.sha256").write_text(hashlib.sha256(release).hexdigest() + "\n")
        shutil.copytree(SCRIPTS, self.app / "bootstrap_scripts", dirs_exist_ok=True)
        exports = {"SHARED_DIR": "/srv/shared"} | settings
        env = self.app / "env"
        env.touch(mode=0o600)
        env.write_text("".join(f"export {name}={quote(value)}\n" for name, value in exports.items()))
        (self.app / "Procfile").write_text(procfile)

    def set_up(self) -> subprocess.CompletedProcess[str]:
        """Run the numbered scripts in order, up to the first that fails."""
        done = self._run_scripts("[0-4]*.sh", "")
        return done if done.returncode else self.set_up_release()

    def set_up_release(self) -> subprocess.CompletedProcess[str]:
        """Run the scripts that need the release."""
        return self._run_scripts("[5-9]*.sh", ". ./env; ")

    def _run_scripts(self, names: str, before: str) -> subprocess.CompletedProcess[str]:
        for script in sorted((self.app / "bootstrap_scripts").glob(names)):
            done = self.execute("sh", "-c", before + quote(str(script)))
            if done.returncode:
                break
        return done

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the app's, as the migrate and test stages do."""
        return self.execute(str(self.app / "bin" / "run"), "sh", "-c", command)

    def start(self) -> subprocess.CompletedProcess[str]:
        """Start the app's processes."""
        return self.execute(str(self.app / "bin" / "start"))

    def boot(self) -> subprocess.CompletedProcess[str]:
        """Do what an init does with rc.local at boot: run it, with next to nothing in the environment."""
        return self._execute(str(self.root / "etc" / "rc.local"), environment={})

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on this server, the way the SSH side does."""
        return self._execute(*command, environment={"PATH": os.environ["PATH"], "SERVER_ROOT": str(self.root)})

    def _execute(self, *command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a command until its pipes are closed, as SSH does: what it left running must not hold them."""
        limit = 4 * DEADLINE
        return subprocess.run(
            command, check=False, cwd=self.app, env=environment, capture_output=True, text=True, timeout=limit
        )

    def keepers(self, name: str) -> list[int]:
        """Return the processes that keep the named one running or are just about to, as the kernel lists them."""
        wanted = f"{self.app / 'bin' / 'keep'}\0{name}\0".encode()
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if wanted in _command_line(entry)]

    def recorded_pid(self, name: str) -> int:
        """Return the id that the named process's keeper wrote down."""
        return int((self.app / "run" / f"{name}.pid").read_text())

    def log(self, name: str) -> str:
        """Return what the named process has written so far."""
        path = self.app / "log" / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def stop(self, name: str) -> None:
        """Tell the named process's keeper to stop, and wait until it has ended."""
        _end(self.recorded_pid(name))

    def stop_all(self) -> None:
        """Stop what still runs, and what is only about to."""
        while left := [pid for name in ("web", "worker") for pid in self.keepers(name)]:
            for pid in left:
                _end(pid)


def _end(pid: int) -> None:
    try:
        ended = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(ended, signal.SIGTERM)
        readable, _, _ = select.select([ended], [], [], DEADLINE)
    except ProcessLookupError:
        return
    finally:
        os.close(ended)
    assert readable, f"process {pid} ignored SIGTERM for {DEADLINE:g} s"


def _command_line(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
