"""Colleagues: operators with a machine each (a state folder, a deploy key), who have accounts at one cloud.

The app they deploy needs no package and is up at once: a deploy of it takes a few seconds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from tests.stories.clouds import Cloud
from tests.stories.operators import LONGEST, Operator, Ran, ended, eventually
from tests.stories.traffic import Traffic, steady

APP = Path(__file__).parent / "crashes/app"
LISTENERS = 'listeners = [{ name = "http", port = 8080 }, { name = "https", port = 8443 }]\n'
LIMITS = {"build": 60, "ssh": 30, "drain": 6, "delete": 60, "balancer": 60, "command": 60}
COUNT = 2
SETTINGS = {
    "cloud": "shared",
    "count": COUNT,
    "source__requirements": "",
    "processes__web": "python3 serve.py",
    "commands__migrate": "",
    "commands__test": "",
    "server__image": "Local Linux",
    "server__flavor": "general1-1",
    "server__ssh_port": 2222,
} | {f"limits__{name}": limit for name, limit in LIMITS.items()}
PATIENT = 16  # requests, of which every visitor has made some
CHANGE = re.compile(
    r"\S+ (?P<method>POST|PUT|DELETE) "
    r"(/clb/v1\.0/\w+/loadbalancers|/load-balancer/v2/lbaas/pools)/(?P<balancer>[\w-]+)/(nodes|members)\S* 2"
)
ROTATION = {"rackspace": ["POST", "PUT", "DELETE"], "openstack": ["PUT", "PUT", "DELETE"]}
"""What one rotation does to each load balancer: nodes are added, nodes are drained, nodes are removed."""


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """Somebody with a state folder of their own, who deploys releases by name."""

    operator: Operator

    @classmethod
    def of(cls, host: Operator, operator: Operator) -> Colleague:
        """Give an operator an account at the local cloud of another."""
        its = yaml.safe_load(Path(host.local_status()["clouds_yaml"]).read_text())["clouds"]["local"]
        clouds = operator.folder / "clouds.yaml"
        clouds.write_text(json.dumps({"clouds": {"shared": its}}))  # JSON is YAML
        return cls(operator=replace(operator, prefix=("env", f"OS_CLIENT_CONFIG_FILE={clouds}")))

    def releasing(self, release: str, **settings: Any) -> Operator:
        """Give the operator whose work tree holds this release; settings are as in deploy.toml, `__` is a dot."""
        app = self.operator.folder / "apps" / release
        if not app.exists():
            shutil.copytree(APP, app, ignore=shutil.ignore_patterns("__pycache__"))
            (app / "release.txt").write_text(release)
        chosen = SETTINGS | {"source__path": str(app)} | settings
        lines = (f"{key.replace('__', '.')} = {json.dumps(value)}\n" for key, value in chosen.items())
        return self.operator.with_settings(LISTENERS + "".join(lines), name=release)


def visits(traffic: Traffic) -> None:
    """Return when there have been some more requests."""
    already = len(traffic.requests)
    eventually(lambda: len(traffic.requests) >= already + PATIENT or None, "visitors")


def at_once(gate: Path, *commands: tuple[Operator, str]) -> list[Ran]:
    """Start commands of several operators in the same moment, and give how each ended.

    The gate is opened when the first has ended: who is behind it is at work until then.
    """
    processes = [who.start("fab", command) for who, command in commands]
    eventually(lambda: any(process.poll() is not None for process in processes) or None, "one of them to end")
    gate.touch()
    return [ended(process) for process in processes]


def behind(gate: Path, there: Path | None = None) -> dict[str, Any]:
    """Give the settings of a deploy that watches its new servers until a gate is opened, and says when it is there."""
    arrives = f"touch {there}; " if there else ""
    watch = f"{arrives}until test -e {gate}; do sleep 0.1; done"
    return {"watch": 1, "commands__watch": watch, "limits__watch_command": LONGEST}


class Changes:
    """What is done to the nodes of load balancers, as the cloud's own log of requests shows it."""

    def __init__(self, host: Operator) -> None:
        self._log = Path(host.local_status()["state_dir"]) / "api.log"
        self._begin = self._log.stat().st_size

    def seen(self) -> list[list[str]]:
        """Give what was done to each load balancer since this was made; removals in a row count once."""
        with self._log.open() as log:
            log.seek(self._begin)
            found = [match for match in map(CHANGE.match, log) if match]
        balancers = sorted({match["balancer"] for match in found})
        methods = ([match["method"] for match in found if match["balancer"] == one] for one in balancers)
        return [list(_once(of_one, "DELETE")) for of_one in methods]


def _once(methods: Iterable[str], several: str) -> Iterator[str]:
    """Give methods, one of them once where it stands several times in a row."""
    for method, row in groupby(methods):
        yield from [method] if method == several else row


@dataclass(frozen=True, kw_only=True)
class Office:
    """A cloud, and two who deploy to it; `ann` and `bob` share nothing else."""

    host: Operator
    ann: Colleague
    bob: Colleague
    cloud: Cloud

    @contextmanager
    def visited(self) -> Iterator[tuple[Traffic, Changes]]:
        """Keep visitors busy meanwhile, and watch what is done to the load balancers."""
        changes = Changes(self.host)
        with steady(self.cloud.addresses()) as traffic:
            visits(traffic)
            yield traffic, changes
            visits(traffic)

    def disorder(self, release: str) -> list[str]:
        """Say what is not as it has to be where a release is alone: two servers that serve, no claim, nothing else."""
        servers = self.cloud.servers().values()
        found = Counter((one.status, one.metadata["phase"], one.metadata["release"]) for one in servers)
        nodes = Counter(self.cloud.nodes().values())
        generations = {one.metadata["generation"] for one in servers}
        return [
            *([] if found == {("ACTIVE", "serving", release): COUNT} else [f"servers: {found}"]),
            *([] if nodes == {"ENABLED": 2 * COUNT} else [f"nodes: {nodes}"]),
            *([] if len(generations) == 1 else [f"generations: {generations}"]),
            *(f"{one.name} has {item}" for one in servers for item in one.metadata if item.startswith("claim")),
        ]


def deployed(said: str) -> str:
    """Give the release that a deploy says it deploys."""
    return re.findall(r"(?m)^Deploying guestbook to production: release (\w+)", said)[0]


@dataclass(frozen=True, kw_only=True)
class Held:
    """A deploy that stands still while its new servers and the old ones serve, until it is let go."""

    process: subprocess.Popen[str]
    gate: Path

    def goes_on(self) -> Ran:
        """Let it go, and give how it ended."""
        self.gate.touch()
        return ended(self.process)


@contextmanager
def held(who: Colleague, release: str) -> Iterator[Held]:
    """Start a deploy, and hold it where it watches its new servers."""
    gate, there = (who.operator.folder / f"{release}.{name}" for name in ("gate", "there"))
    deploy = who.releasing(release, **behind(gate, there))
    process = deploy.start("fab", "deploy")
    try:
        eventually(lambda: there.exists() or process.poll() or None, "the watch")
        yield Held(process=process, gate=gate)
    finally:
        gate.touch()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGCONT)
            ended(process)
