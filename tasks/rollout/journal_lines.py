"""Events as JSON values: the lines of a journal. What each field means stands in `journal_format`.

Names are kept beside ids: whoever reads a journal later can not ask the cloud any more what a server was called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from tasks.errors import DeployError, Interrupted
from tasks.rollout.events import (
    Begun,
    Ended,
    Event,
    Failed,
    Finished,
    Observed,
    Planned,
    Reverting,
    Said,
    Started,
)
from tasks.rollout.journal_facts import as_json as fact_as_json
from tasks.rollout.model import Server
from tasks.rollout.observation import Fact
from tasks.rollout.steps import Step

SCHEMA = 1
"""Goes up when a field changes its meaning or goes; new fields and events may come without that."""
Json = dict[str, Any]


class Lines:
    """Makes lines of the events of one run, in their order; learns the names of servers from them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._first: float | None = None

    def of(self, event: Event) -> Json:
        """Give an event as JSON values. `at` counts the seconds since the first event that was heard of."""
        self._first = event.at if self._first is None else self._first
        time = datetime.now(tz=UTC).isoformat(timespec="milliseconds")
        name = type(event).__name__.lower()
        return {"time": time, "at": round(event.at - self._first, 3), "event": name, **self._told(event)}

    def _told(self, event: Event) -> Json:
        match event:
            case Begun():
                return _begun(event)
            case Observed():
                self._learn(event.seen.servers)
                return {"servers": [server.name for server in event.seen.servers]}
            case Planned():
                return {"rounds": [[self._step(step) for step in sorted(bag, key=str)] for bag in event.rounds()]}
            case Started() | Finished() | Failed():
                return self._of_step(event)
            case _:
                return _plain(event)

    def _of_step(self, event: Started | Finished | Failed) -> Json:
        match event:
            case Started():
                return self._step(event.step)
            case Finished():
                self._learn(event.facts)
                facts = [fact_as_json(fact, self._names) for fact in event.facts]
                return {**self._step(event.step), "facts": facts}
            case Failed():
                told_to_stop = isinstance(event.error, Interrupted)
                return {**self._step(event.step), **_error(event.error), "told_to_stop": told_to_stop}

    def _step(self, step: Step) -> Json:
        extra = {
            name: getattr(step, name, None)
            for name in ("balancer", "condition", "slot", "moment", "count", "fault", "missing", "hook")
        }
        known = {name: str(value) if isinstance(value, str) else value for name, value in extra.items() if value}
        names = sorted(self._names.get(key, key) for key in _servers(step))
        return {"step": type(step).__name__, "subject": step.subject, "servers": names, **known}

    def _learn(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, Server):
                self._names |= {key: fact.name for key in (fact.id, fact.private_ip) if key}


def _servers(step: Step) -> Iterator[str]:
    """Give the ids or private IPs of the servers that a step is about."""
    if hasattr(step, "server_id"):
        yield step.server_id
    yield from getattr(step, "server_ids", ())
    yield from getattr(step, "addresses", ())


def _begun(event: Begun) -> Json:
    goal = event.goal
    return {
        "schema": SCHEMA,
        "verb": event.verb,
        "app": goal.app,
        "environment": goal.environment,
        "release": goal.release,
        "generation": goal.generation,
        "count": goal.count,
        **event.about,
    }


def _plain(event: Event) -> Json:
    match event:
        case Reverting():
            return {"reason": event.reason}
        case Said():
            return {"text": event.text}
        case Ended():
            told = {"outcome": event.outcome.value, "exit_code": event.outcome.exit_code}
            return told | (_error(event.error) if event.error else {})
        case _:
            values = {name: value for name, value in vars(event).items() if name != "at"}
            return {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}


def _error(error: BaseException) -> Json:
    if not isinstance(error, DeployError):
        return {"kind": type(error).__name__, "error": repr(error)}
    told = {"kind": type(error).__name__, "error": error.problem}
    more = {"console": error.console, "aftermath": error.aftermath, "advice": error.advice}
    return told | {name: words for name, words in more.items() if words}
