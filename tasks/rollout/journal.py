"""The journal: each event of a rollout is one line of JSON, for people and programs to read later. Never the truth."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.errors import DeployError
from tasks.rollout.events import Event, Failed, Finished, Observed, Reverting, Said, Started


class Journal:
    """Appends events to a file, which only its owner can read. A full disk is no reason to fail a deploy."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, event: Event) -> None:
        """Write one event down. Looking alone leaves no journal: the file begins with the first thing that is done."""
        if isinstance(event, Observed) and not self.path.exists():
            return
        line = {"time": datetime.now(tz=UTC).isoformat(timespec="milliseconds"), **as_json(event)}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode=0o600), "a") as file:
                file.write(json.dumps(line) + "\n")
        except OSError:
            return


def as_json(event: Event) -> dict[str, Any]:
    """Give an event as JSON values: what happened, to which subject, and the error's words when it failed."""
    match event:
        case Observed():
            ids = [server.id for server in event.seen.servers]
            return {"event": "observed", "at": round(event.at, 3), "servers": ids}
        case Started() | Finished():
            return {"event": type(event).__name__.lower(), "at": round(event.at, 3), **_step(event.step)}
        case Failed():
            said = event.error.problem if isinstance(event.error, DeployError) else repr(event.error)
            return {"event": "failed", "at": round(event.at, 3), **_step(event.step), "error": said}
        case Reverting():
            return {"event": "reverting", "at": round(event.at, 3), "reason": event.reason}
        case Said():
            return {"event": "said", "at": round(event.at, 3), "text": event.text}


def _step(step: Any) -> dict[str, Any]:
    return {"step": type(step).__name__, "subject": step.subject}
