"""Where a local cloud keeps its files, with which modes, and the record by which it is found.

Owns paths, modes (directories 0700, files 0600) and the removal of everything. Knows nothing of processes or HTTP.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tasks.localcloud import trees

MARKER = "daemon.lock"


class ForeignDirectory(Exception):
    """The state directory is somebody else's, or holds what no local cloud has made; it is neither used nor removed."""

    def __init__(self, path: Path, seen: str = "is not empty and is not a local cloud's state directory") -> None:
        super().__init__(f"{path} {seen}: choose another --state-dir")
        self.path = path


@dataclass(frozen=True, kw_only=True)
class Access:
    """How a client reaches a running cloud: what `status --json` prints and `clouds.yaml` is made of."""

    region: str
    username: str
    api_key: str = field(repr=False)
    password: str = field(repr=False)
    project: str
    auth_url_v2: str | None
    auth_url_v3: str
    control_url: str
    control_token: str = field(repr=False)
    warning: str | None = None

    def clouds_yaml(self) -> dict[str, Any]:
        """Describe the cloud as the entry `local` of a `clouds.yaml` (openstacksdk, user/config/configuration)."""
        auth = {
            "auth_url": self.auth_url_v3,
            "username": self.username,
            "password": self.password,
            "project_name": self.project,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        entry = {"auth_type": "v3password", "auth": auth, "region_name": self.region, "identity_api_version": 3}
        return {"clouds": {"local": entry}}


@dataclass(frozen=True, kw_only=True)
class StateDirectory:
    """The files of one local cloud."""

    path: Path

    @property
    def lock(self) -> Path:
        """The file that the daemon keeps locked for as long as it lives; also marks the directory as ours."""
        return self.path / MARKER

    @property
    def record(self) -> Path:
        """How to reach the running cloud."""
        return self.path / "cloud.json"

    @property
    def clouds_yaml(self) -> Path:
        """The same for OpenStack clients."""
        return self.path / "clouds.yaml"

    @property
    def api_log(self) -> Path:
        """One line for every API request."""
        return self.path / "api.log"

    @property
    def daemon_log(self) -> Path:
        """What the daemon itself has to say."""
        return self.path / "daemon.log"

    @property
    def machines(self) -> Path:
        """The disks and consoles of the servers."""
        return self.path / "machines"

    @property
    def balancers(self) -> Path:
        """The files of the load balancers."""
        return self.path / "balancers"

    @property
    def shared(self) -> Path:
        """The volume that every server sees as /srv/shared."""
        return self.path / "shared"

    def claim(self) -> None:
        """Make the directory if need be, and mark it as a local cloud's.

        :raises ForeignDirectory: it exists and holds something else, or belongs to another user.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._expect_to_own()
        if any(self.path.iterdir()) and not self.lock.exists():
            raise ForeignDirectory(self.path)
        self.path.chmod(0o700)
        self.lock.touch(mode=0o600)

    def clear(self) -> None:
        """Remove what an earlier cloud has left here, except the lock."""
        for entry in self.path.iterdir():
            if entry != self.lock:
                trees.remove(entry)

    def make_folders(self) -> None:
        """Make the folders of the servers, the load balancers and the shared volume."""
        self.machines.mkdir(mode=0o700, exist_ok=True)
        self.balancers.mkdir(mode=0o700, exist_ok=True)
        self.shared.mkdir(mode=0o700, exist_ok=True)
        # The mode of a world-writable volume is safe: nobody else gets past the 0700 of the directory above it.
        self.shared.chmod(0o1777 if os.geteuid() == 0 else 0o700)

    def publish(self, access: Access) -> None:
        """Write the record and `clouds.yaml`, each in one step, so that nobody reads half of one."""
        write_private(self.clouds_yaml, yaml.safe_dump(access.clouds_yaml(), sort_keys=False))
        write_private(self.record, json.dumps(asdict(access)))

    def access(self) -> Access:
        """Read the record.

        :raises FileNotFoundError: no cloud has come up here.
        :raises ForeignDirectory: another user's has.
        """
        self._expect_to_own()
        return Access(**json.loads(self.record.read_text()))

    def remove(self) -> None:
        """Remove the directory and everything in it.

        :raises ForeignDirectory: it is not a local cloud's.
        """
        if not self.lock.exists() and any(self.path.iterdir()):
            raise ForeignDirectory(self.path)
        trees.remove(self.path)

    def _expect_to_own(self) -> None:
        """Keep away from where another user could read our credentials, or have us use a cloud of theirs."""
        owner = self.path.stat().st_uid
        if owner != os.geteuid():
            raise ForeignDirectory(self.path, f"belongs to another user (uid {owner})")


def default_directory(environment: Mapping[str, str]) -> Path:
    """Give the state directory of a person who did not choose one (XDG base directories)."""
    home = Path(environment.get("HOME") or Path.home())
    base = Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state")
    return base / "disposable-servers" / "local-cloud"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
