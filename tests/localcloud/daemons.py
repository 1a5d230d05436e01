"""Real local clouds in processes of their own, driven by the command line as people do it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
from keystoneauth1.session import Session
from novaclient.client import Client
from openstack.config import OpenStackConfig

PROJECT = Path(__file__).resolve().parents[2]
Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class LocalCloud:
    """The cloud of one state directory."""

    state_dir: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command on it and give what came of it."""
        command = self.command(*arguments)
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)

    def command(self, *arguments: str) -> list[str]:
        """Give the command line for a command."""
        name, *rest = arguments
        return [sys.executable, "-m", "tasks.localcloud", name, "--state-dir", str(self.state_dir), *rest]

    def up(self, *arguments: str) -> dict[str, Any]:
        """Start it; gives its status."""
        done = self.run("up", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def status(self) -> dict[str, Any]:
        """Ask whether it runs."""
        return dict(json.loads(self.run("status", "--json").stdout))

    def daemons(self) -> list[psutil.Process]:
        """Find its daemon among all processes."""
        wanted = ["-m", "tasks.localcloud.daemon", str(self.state_dir)]
        return [
            process for process in psutil.process_iter(["cmdline"]) if (process.info["cmdline"] or [])[1:4] == wanted
        ]

    def processes(self) -> list[psutil.Process]:
        """Find its daemon and everything that descends from it: servers, Envoy."""
        [daemon] = self.daemons()
        return [daemon, *daemon.children(recursive=True)]

    def session(self) -> Session:
        """Open a session the way every OpenStack client does: by the clouds.yaml that the cloud has written."""
        return self.config().get_session()

    def config(self) -> Any:
        """Read the cloud's clouds.yaml, and nothing of whoever runs the tests."""
        files = [str(self.state_dir / "clouds.yaml")]
        return OpenStackConfig(config_files=files, secure_files=[], load_envvars=False).get_one(cloud="local")

    def nova(self, version: str = "2.1", region: str = "ORD") -> Any:
        """Make an unmodified novaclient."""
        os.environ["NOVACLIENT_UUID_CACHE_DIR"] = str(self.state_dir.parent / "novaclient")
        return Client(version, session=self.session(), region_name=region, service_name="cloudServersOpenStack")


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Give those that have not ended; one that only waits to be reaped by the init of this machine has."""
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def local_cloud(state_dir: Path) -> Iterator[LocalCloud]:
    """Give a cloud that is not running yet, and end it whatever happens."""
    cloud = LocalCloud(state_dir=state_dir)
    try:
        yield cloud
    finally:
        cloud.run("down")


def eventually(look: Callable[[], Seen], seconds: float = 30.0) -> Seen:
    """Look until there is something to see; fails after a deadline that only a hang reaches."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"nothing to see within {seconds} s"
        time.sleep(0.02)
    return seen
