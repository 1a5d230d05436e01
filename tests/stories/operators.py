"""People at a terminal: they run `fab` and `inv` from a checkout, with a state folder and settings of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from tasks.waiting import Patience, WallClock, until
from tests.stories.clouds import Cloud

CHECKOUT = Path(__file__).resolve().parents[2]
NOT_INHERITED = re.compile(r"OS_.*|XDG_.*|CI|(NO|FORCE)_COLOR|DEPLOY_FILE|PYTHONPATH|COLUMNS")
LONGEST = 110.0
ONE = 'count = 1\ncommands.test = ""\n'  # for stories in which neither a second server nor the app's tests matter
Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended, and what the operator read."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Give all that was printed."""
        return self.stdout + self.stderr


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Somebody with a checkout.

    :param folder: theirs alone; the state of their local cloud and of their deploys is below it.
    :param caches: where downloaded wheels are kept; shared, so that they are downloaded once.
    :param prefix: what stands before each of their commands.
    """

    folder: Path
    caches: Path
    settings: Path
    checkout: Path = CHECKOUT
    programs: Path = Path(sys.executable).parent
    prefix: tuple[str, ...] = ()

    @classmethod
    def at(cls, folder: Path, caches: Path) -> Operator:
        """Give an operator whose settings say nothing: the sample app on the local cloud."""
        return cls(folder=folder, caches=caches, settings=_written(folder / "deploy.toml", ""))

    def with_settings(self, text: str, *, name: str = "other") -> Operator:
        """Give the same operator, with another settings file."""
        return replace(self, settings=_written(self.folder / f"{name}.toml", text))

    def fab(self, *arguments: str) -> Ran:
        """Run `fab` to its end."""
        return self._run("fab", *arguments)

    def inv(self, *arguments: str) -> Ran:
        """Run `inv` to its end."""
        return self._run("inv", *arguments)

    def manages(self, *arguments: str) -> Ran:
        """Run `fab`, which has to succeed."""
        ran = self.fab(*arguments)
        assert ran.code == 0, ran.text
        return ran

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a program in a process group of its own, as a shell does; give it while it runs."""
        return subprocess.Popen(
            [*self.prefix, str(self.programs / program), *arguments],
            cwd=self.checkout,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment of their shell: nothing in it names a cloud, or a settings file of the developer's."""
        kept = {name: value for name, value in os.environ.items() if not NOT_INHERITED.fullmatch(name)}
        own = {"XDG_STATE_HOME": self.folder, "XDG_CACHE_HOME": self.caches, "DEPLOY_FILE": self.settings}
        return {**kept, **{name: str(path) for name, path in own.items()}, "COLUMNS": "200"}

    @property
    def deploys(self) -> Path:
        """Give the folder of the records of their deploys."""
        return self.folder / "disposable-servers" / "deploys"

    def status(self, *arguments: str) -> dict[str, Any]:
        """Ask `status --json`."""
        return dict(json.loads(self.manages("status", "--json", *arguments).stdout))

    def local_status(self) -> dict[str, Any]:
        """Ask `local.status --json`."""
        return dict(json.loads(self.manages("local.status", "--json").stdout))

    def cloud(self) -> Cloud:
        """Open their local cloud as any other client would."""
        return Cloud(clouds_yaml=Path(self.local_status()["clouds_yaml"]))

    def _run(self, program: str, *arguments: str) -> Ran:
        process = self.start(program, *arguments)
        return ended(process)


def ended(process: subprocess.Popen[str]) -> Ran:
    """Wait for a program to end; one that hangs is killed, and fails the story."""
    try:
        stdout, stderr = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Ran(code=process.returncode, stdout=stdout, stderr=stderr)


def eventually(look: Callable[[], Seen | None], what: str, *, seconds: float = 60.0) -> Seen:
    """Look until there is something to see, and give that; fail after a deadline that only a fault reaches."""
    return until(look, what=what, patience=Patience(limit=seconds, longest=0.25), clock=WallClock())


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
