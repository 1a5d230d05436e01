"""Deploys that stand still at their k-th request or command, and are killed there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from subprocess import Popen
from typing import Any

import requests

from tests.stories.operators import LONGEST, Operator, ended

LOOK = 1.0  # seconds after which it is asked whether the deploy has ended instead


class Moment(StrEnum):
    """Whether the request or command has had its effect."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where a deploy is killed: at its k-th request or command."""

    k: int
    moment: Moment

    def __str__(self) -> str:
        return f"{self.moment}-{self.k}"


class HoldPoints:
    """The hold points of an operator's local cloud."""

    def __init__(self, operator: Operator) -> None:
        status = operator.local_status()
        self._url = f"{status['control_url']}/holds"
        self._wire = requests.Session()
        self._wire.trust_env = False
        self._wire.headers["Authorization"] = f"Bearer {status['control_token']}"

    def kill_at(self, point: Point, operator: Operator, *command: str) -> str | None:
        """Start a command and kill it when it is held there; give what was held, None when it has ended before.

        What was held before its effect never has one.
        """
        self._asked("POST", json={"request": point.k, "moment": point.moment})
        process = operator.start("fab", *command)
        try:
            held = self._held(process)
        finally:
            if process.poll() is None:
                process.kill()
            ran = ended(process)
            self._asked("DELETE")
        assert held or ran.code == 0, ran.text
        return held

    def _held(self, process: Popen[str]) -> str | None:
        for _ in range(int(LONGEST / LOOK)):
            held = self._asked("GET", params={"wait": LOOK})["held"]
            if held:
                return f"{held['kind']} {held['what']}"
            if process.poll() is not None:
                return None
        raise AssertionError(f"the deploy was neither held nor done after {LONGEST:g} s")

    def _asked(self, method: str, **details: Any) -> dict[str, Any]:
        answer = self._wire.request(method, self._url, timeout=LONGEST, **details)
        answer.raise_for_status()
        return dict(answer.json())
