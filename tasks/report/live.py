"""The live view of a rollout in a terminal: the board, drawn to fit, with elapsed and expected times.

Rows that do not fit are counted. All times are in seconds on the rollout's clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from tasks.report.board import Board
from tasks.report.rows import Cell, Column, Row, State
from tasks.report.timings import WHOLE, expectations
from tasks.report.wording import Names
from tasks.waiting import Clock

CELL = 8
"""How wide a stage's cell is, in characters, the gap after it included."""
LONGEST_NAME = 23
AROUND = 6
"""Lines above and below the rows."""
FEWEST = 3
FRAMES_A_SECOND = 4
STYLE = {State.RUNNING: "yellow", State.DONE: "green", State.FAILED: "bold red"}
EXPECTED_AS = {Column.SERVE: "rotate in"}
"""What the time of a column is called among the stages, where that differs."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What earlier deploys took, by stage; `whole` is None where there is none to learn from."""

    stages: Mapping[str, float] = field(default_factory=dict)
    whole: float | None = None

    def of(self, column: Column) -> float | None:
        """Give how long a stage is expected to take on a server."""
        return self.stages.get(EXPECTED_AS.get(column, column.value))


NOTHING = Expected()


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What is drawn, and into how much room.

    :param running: what runs beside the stages of the servers, in words.
    :param latest: the server, the stage and the line that was printed last.
    """

    rows: tuple[Row, ...]
    now: float
    started: float
    width: int = 80
    height: int = 24
    running: tuple[str, ...] = ()
    latest: tuple[str, str, str] = ("", "", "")
    expected: Expected = NOTHING


def expected(deploys: Path, *, of: str) -> Expected:
    """Give what is expected from the journals below a folder, of an app and environment such as "shop-production"."""
    found = expectations(deploys, of=of)
    return Expected(stages=found, whole=found.get(WHOLE))


class View:
    """The part of the terminal that moves. Lines that are printed meanwhile stand above it."""

    def __init__(self, console: Console, clock: Clock, board: Board, expected: Expected) -> None:
        self._console = console
        self._clock = clock
        self._board = board
        self._expected = expected
        self._started = clock.now()
        self._names: Callable[[str], str] = str
        self._running: tuple[str, ...] = ()
        self._live = Live(
            get_renderable=self._drawn, console=console, refresh_per_second=FRAMES_A_SECOND, vertical_overflow="crop"
        )

    def show(self, running: tuple[str, ...], names: Names) -> None:
        """Show the board as it is, and what runs beside it."""
        self._running, self._names = running, names
        if self._board.rows and not self._live.is_started:
            self._live.start()

    def close(self) -> None:
        """Leave the board as it is in the end, and give the terminal back."""
        self._running = ()
        self._board.latest = ("", "", "")
        if self._live.is_started:
            self._live.stop()

    def _drawn(self) -> Group:
        width, height = self._console.size
        server, stage, line = self._board.latest
        frame = Frame(
            rows=tuple(_named(row, self._names) for row in self._board.rows.values()),
            now=self._clock.now(),
            started=self._started,
            width=width,
            height=height,
            running=self._running,
            latest=(self._names(server), stage, line),
            expected=self._expected,
        )
        return Group(*drawn(frame))


def drawn(frame: Frame) -> Iterator[Text]:
    """Give the lines of a frame, none longer than it is wide and no more than it is high."""
    for line in _lines(frame):
        line.rstrip()
        line.truncate(frame.width - 1, overflow="ellipsis")
        line.no_wrap = True
        yield line


def _lines(frame: Frame) -> Iterator[Text]:
    shown, rest = _fitting(frame)
    wide = min(LONGEST_NAME, max((len(row.name) for row in shown), default=0)) + 1
    yield _heading(frame)
    yield Text("".ljust(wide) + "".join(column.value.ljust(CELL) for column in Column), style="dim")
    migrates = any(Column.MIGRATE in row.cells for row in frame.rows)
    for row in shown:
        yield _row(row, wide, frame, has_leader=migrates)
    if rest:
        yield Text(f"… and {len(rest)} more: {_counted(rest)}", style="dim")
    if frame.running:
        more = f" and {len(frame.running) - 1} more" if len(frame.running) > 1 else ""
        yield Text(f"▸ {frame.running[0]}{more}", style="yellow")
    server, stage, line = frame.latest
    if line:
        yield Text(f"{server} {stage}: {line}", style="dim")


def _heading(frame: Frame) -> Text:
    new = [row for row in frame.rows if Column.BOOT in row.cells]
    done = sum(1 for row in new if row.serves)
    usually = f", usually {compact(frame.expected.whole)}" if frame.expected.whole else ""
    counted = f" · {done} of {len(new)} serve" if new else ""
    return Text(f"{compact(frame.now - frame.started)}{usually}{counted}", style="bold")


def _fitting(frame: Frame) -> tuple[list[Row], list[Row]]:
    """Part the rows that are shown from those that are counted: where something happens is shown first."""
    room = max(FEWEST, frame.height - AROUND)
    if len(frame.rows) <= room:
        return list(frame.rows), []
    urgent = sorted(range(len(frame.rows)), key=lambda place: (_calm(frame.rows[place]), place))
    shown = set(urgent[:room])
    rest = [row for place, row in enumerate(frame.rows) if place not in shown]
    return [row for place, row in enumerate(frame.rows) if place in shown], rest


def _calm(row: Row) -> int:
    if row.has_failed:
        return 0
    return 1 if row.is_moving else 2 if not (row.serves or row.fate) else 3


def _counted(rows: list[Row]) -> str:
    numbers = Counter(row.at for row in rows)
    return ", ".join(f"{number} {at}" for at, number in numbers.items())


def _row(row: Row, wide: int, frame: Frame, *, has_leader: bool) -> Text:
    name = row.name if len(row.name) < wide else f"{row.name[: wide - 2]}…"
    text = Text(name.ljust(wide))
    for column in Column if row.cells else ():
        cell = row.cells.get(column)
        is_others = column is Column.MIGRATE and has_leader
        if row.fate and column is Column.SERVE:
            break
        shown = _cell(cell, frame.now, frame.expected.of(column)) if cell else "" if is_others else "·"
        text.append(shown.ljust(CELL), style=STYLE[cell.state] if cell else "dim")
    return text.append(row.fate, style="yellow" if row.is_moving else "dim")


def _cell(cell: Cell, now: float, expected: float | None) -> str:
    match cell.state:
        case State.RUNNING:
            taken = now - cell.since
            return f"{_whole(taken)}/{_whole(expected)}" if expected and expected >= 1 else f"{compact(taken)}…"
        case State.DONE:
            return f"✓ {compact(cell.took)}" if cell.took else "✓"
        case State.FAILED:
            return f"✗ {compact(cell.took)}"


def _named(row: Row, name: Callable[[str], str]) -> Row:
    return Row(name=name(row.name), cells=row.cells, fate=row.fate)


def compact(seconds: float) -> str:
    """Give a length of time in at most four characters: 3.5s, 42s, 12m, 3h."""
    return f"{max(0.0, seconds):.1f}s" if seconds < 9.95 else _whole(seconds)


def _whole(seconds: float) -> str:
    """Give a length of time in at most three characters."""
    if seconds < 99.5:
        return f"{max(0.0, seconds):.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 5970 else f"{seconds / 3600:.0f}h"
