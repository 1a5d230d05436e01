"""A row a server, a cell a stage: how far the servers of a rollout are, as values. Refuses to know how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tasks.rollout import steps

LEAVING: dict[type, tuple[str, str]] = {
    steps.AwaitDrained: ("draining", "drained"),
    steps.Park: ("parking", "parked"),
    steps.RetireServer: ("deleting", "deleted"),
}
UNDER_WAY = tuple(doing for doing, _ in LEAVING.values())


class Column(StrEnum):
    """The stages of a new server, in their order."""

    BOOT = "boot"
    TRUST = "trust"
    SET_UP = "set up"
    MIGRATE = "migrate"
    TEST = "test"
    CHECK = "check"
    SERVE = "serve"


class State(StrEnum):
    """How a stage stands on a server that has begun it."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A stage on a server: since when it runs, and how many seconds it took; 0 = nobody has seen it run."""

    state: State
    since: float = 0.0
    took: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """A server. `fate` is what becomes of one that leaves, such as "draining"."""

    name: str
    cells: Mapping[Column, Cell] = field(default_factory=dict)
    fate: str = ""

    @property
    def is_moving(self) -> bool:
        """Say whether something happens on it now."""
        return self.fate.startswith(UNDER_WAY) or any(cell.state is State.RUNNING for cell in self.cells.values())

    @property
    def has_failed(self) -> bool:
        """Say whether a stage failed on it."""
        return any(cell.state is State.FAILED for cell in self.cells.values())

    @property
    def serves(self) -> bool:
        """Say whether it has come into rotation."""
        cell = self.cells.get(Column.SERVE)
        return cell is not None and cell.state is State.DONE and not self.fate

    @property
    def at(self) -> str:
        """Say in a word how far it is."""
        return self.fate or next((column for column in reversed(Column) if column in self.cells), Column.BOOT).value

    def with_cell(self, column: Column, cell: Cell) -> Row:
        """Give the row with a cell filled in."""
        return replace(self, cells={**self.cells, column: cell})


def trusted(row: Row, at: float) -> Row:
    """Give the row of a server that has let us in. When exactly nobody says: all the time counts as set-up."""
    trust = row.cells.get(Column.TRUST)
    if trust is None or trust.state is not State.RUNNING:
        return row
    trusting = row.with_cell(Column.TRUST, Cell(state=State.DONE, since=at))
    return trusting.with_cell(Column.SET_UP, Cell(state=State.RUNNING, since=trust.since))


def ended(row: Row, column: Column, state: State, at: float) -> Row:
    """Give the row with a stage at its end; one that had ended before stays as it was."""
    before = row.cells.get(column, Cell(state=State.RUNNING, since=at))
    if before.state is not State.RUNNING:
        return row
    return row.with_cell(column, Cell(state=state, since=before.since, took=max(0.0, at - before.since)))
