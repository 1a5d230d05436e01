"""Which server is at which stage, kept from what is heard of a rollout.

Rows are replaced, never changed, so that they can be drawn while more is heard.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tasks.errors import Interrupted
from tasks.report.rows import LEAVING, Cell, Column, Row, State, ended, trusted
from tasks.rollout import steps
from tasks.rollout.events import Event, Failed, Finished, Observed, Started
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition, Server, ServerStatus
from tasks.rollout.observation import Distrusted, Fact, Held

DRAIN = "drain"
"""The stage whose output is how many connections a server still has."""


ON_SERVER: dict[type, Column] = {
    steps.SetUp: Column.TRUST,
    steps.Migrate: Column.MIGRATE,
    steps.TestApp: Column.TEST,
    steps.Check: Column.CHECK,
    steps.MarkServing: Column.SERVE,
}
PASSED = {
    Phase.SET_UP: (Column.BOOT, Column.TRUST, Column.SET_UP),
    Phase.TESTED: (Column.TEST,),
    Phase.READY: (Column.CHECK,),
    Phase.SERVING: (Column.SERVE,),
}


class Board:
    """Hears what happens in a rollout, from any thread."""

    def __init__(self) -> None:
        self.rows: Mapping[str, Row] = {}
        """By the server's id; by the slot while the cloud has not given one."""
        self.latest = ("", "", "")
        """The server's name, the stage and the line that was printed last."""
        self._servers: dict[str, Server] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        with self._lock:
            match event:
                case Observed():
                    self._meet(event.seen.servers)
                case Started():
                    self._start(event.step, event.at)
                case Finished():
                    self._meet(event.facts)
                    self._finish(event)
                case Failed():
                    self._fail(event)

    def output(self, server: str, stage: str, line: str, at: float) -> None:
        """Take in a line that a command on a server printed. Who prints has been trusted with a login."""
        with self._lock:
            self.latest = (server, stage, line)
            key = next((key for key, row in self.rows.items() if row.name == server), "")
            if not key:
                return
            row = self.rows[key]
            if stage == DRAIN and row.fate.startswith("draining"):
                self._put(key, replace(row, fate=f"draining {line}"))
            else:
                self._put(key, trusted(row, at))

    def _meet(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, Held):
                self._meet(fact.others)
            if isinstance(fact, Server):
                self._servers[fact.id] = fact

    def _start(self, step: steps.Step, at: float) -> None:
        match step:
            case steps.CreateServer():
                self._put(step.subject, Row(name=step.subject))
                self._begin(step.subject, Column.BOOT, at)
            case steps.WatchBuilds():
                for server_id in sorted(step.server_ids - self.rows.keys()):
                    self._begin(server_id, Column.BOOT, at)
            case steps.AddNodes():
                for server_id in self._at(step.addresses):
                    self._begin(server_id, Column.SERVE, at)
            case steps.SetCondition():
                fate = "draining" if step.condition is Condition.DRAINING else "back in rotation"
                for server_id in self._at(step.addresses):
                    self._leave(server_id, fate)
            case steps.OnServer() if type(step) in LEAVING:
                self._leave(step.server_id, LEAVING[type(step)][0])
            case steps.OnServer() if type(step) in ON_SERVER:
                self._begin(step.server_id, ON_SERVER[type(step)], at)

    def _finish(self, event: Finished) -> None:
        step = event.step
        match step:
            case steps.CreateServer():
                self._rename(step, event.facts)
            case steps.WatchBuilds():
                for fact in event.facts:
                    if isinstance(fact, Server):
                        state = State.DONE if fact.status is ServerStatus.ACTIVE else State.FAILED
                        self._put(fact.id, ended(self._row(fact.id), Column.BOOT, state, event.at))
            case steps.ReplaceBuild():
                self.rows = {key: row for key, row in self.rows.items() if key != step.server_id}
            case steps.OnServer() if type(step) in LEAVING:
                self._leave(step.server_id, LEAVING[type(step)][1])
            case steps.OnServer() if type(step) in ON_SERVER:
                is_refused = any(isinstance(fact, Distrusted) for fact in event.facts)
                self._end(step, State.FAILED if is_refused else State.DONE, event.at)

    def _fail(self, event: Failed) -> None:
        step = event.step
        if isinstance(step, steps.CreateServer):
            self._put(step.subject, ended(self._row(step.subject), Column.BOOT, State.FAILED, event.at))
        elif isinstance(step, steps.OnServer) and type(step) in ON_SERVER:
            if isinstance(event.error, Interrupted):
                row = self._row(step.server_id)
                left = {column: cell for column, cell in row.cells.items() if cell.state is not State.RUNNING}
                self._put(step.server_id, replace(row, cells=left))
            else:
                self._end(step, State.FAILED, event.at)

    def _end(self, step: steps.OnServer, state: State, at: float) -> None:
        """End what runs on a server; a set-up that printed nothing has trusted it all the same."""
        row, column = self._row(step.server_id), ON_SERVER[type(step)]
        if isinstance(step, steps.SetUp) and (state is State.DONE or Column.SET_UP in row.cells):
            row, column = trusted(row, at), Column.SET_UP
        self._put(step.server_id, ended(row, column, state, at))

    def _leave(self, key: str, fate: str) -> None:
        """Say what becomes of a server; of one that was there before, how it once came does not matter."""
        row = self.rows.get(key) or Row(name=self._row(key).name)
        self._put(key, replace(row, fate=fate))

    def _begin(self, key: str, column: Column, at: float) -> None:
        row = self._row(key)
        if column not in row.cells or row.cells[column].state is not State.RUNNING:
            self._put(key, row.with_cell(column, Cell(state=State.RUNNING, since=at)))

    def _rename(self, step: steps.CreateServer, facts: tuple[Fact, ...]) -> None:
        """Put the server in the place of its slot, which had no name yet."""
        server = next((fact for fact in facts if isinstance(fact, Server)), None)
        row = self._row(step.subject)
        renamed = {server.id: replace(row, name=server.name)} if server else {}
        rows = [renamed if key == step.subject else {key: kept} for key, kept in self.rows.items()]
        self.rows = {key: kept for each in rows for key, kept in each.items()}

    def _row(self, key: str) -> Row:
        """Give a server's row; one that was met before shows what its metadata says that it has passed."""
        if key in self.rows:
            return self.rows[key]
        server = self._servers.get(key)
        if server is None:
            return Row(name=key)
        passed = [column for phase, columns in PASSED.items() if server.phase.reached(phase) for column in columns]
        return Row(name=server.name, cells=dict.fromkeys(passed, Cell(state=State.DONE)))

    def _at(self, addresses: frozenset[str]) -> list[str]:
        return [server.id for server in self._servers.values() if server.private_ip in addresses]

    def _put(self, key: str, row: Row) -> None:
        self.rows = {**self.rows, key: row}
