"""Progress, as it happens: one line for each thing that is done, each with the seconds since the start.

In a terminal a view below the lines moves, a row a server; what a row tells is no line of its own there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from tasks.errors import Interrupted
from tasks.report.board import ON_SERVER, Board
from tasks.report.live import NOTHING, Expected, View
from tasks.report.rows import LEAVING
from tasks.report.wording import STAGES, Names, counted, doing, done
from tasks.rollout.events import Ended, Event, Failed, Finished, Observed, Reverting, Said, Started
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import BuildDied, Distrusted, Fact, Moment, Probed
from tasks.rollout.steps import CreateServer, ProbeNew, ProbeOld, Step, TakeClaim, Watch, WatchBuilds
from tasks.waiting import Clock


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a rollout took.

    :param stages: seconds that each stage took on its slowest server.
    :param replaced: how many builds died, hung or could not be trusted.
    :param claimed: seconds for which the claim was held.
    """

    stages: Mapping[str, float]
    replaced: int = 0
    claimed: float = 0.0


IN_ROWS = (CreateServer, WatchBuilds, *ON_SERVER, *LEAVING)
"""The steps that the moving view tells of."""


IN_ROWS = (CreateServer, WatchBuilds, *ON_SERVER, *LEAVING)
"""The steps that the rows of the moving view tell of."""


class Progress:
    """Listens to a rollout and shows it on a console.

    :param prefix: of all names; it is not shown.
    :param watch: what a watch looks at, and for how long.
    :param expected: what earlier deploys took.
    """

    def __init__(
        self, console: Console, clock: Clock, *, prefix: str, watch: str = "", expected: Expected = NOTHING
    ) -> None:
        self._console = console
        self._clock = clock
        self._watch = watch
        self._started = clock.now()
        self._running: dict[Step, float] = {}
        self._servers: dict[str, str] = {}
        self._name = Names(prefix=prefix, servers=self._servers)
        self._board = Board()
        self._view = View(console, clock, self._board, expected) if console.is_terminal else None
        self._stages: dict[str, float] = defaultdict(float)
        self._well: Counter[Moment] = Counter()
        self._replaced = 0
        self._claimed_at: float | None = None
        self._last = self._started

    @property
    def figures(self) -> Figures:
        """What it took until now."""
        claimed = 0.0 if self._claimed_at is None else self._last - self._claimed_at
        return Figures(stages=self._stages, replaced=self._replaced, claimed=claimed)

    def __call__(self, event: Event) -> None:
        """Show one event."""
        self._last = event.at
        self._board(event)
        match event:
            case Observed():
                self._learn(event.seen.servers)
            case Started():
                self._start(event)
            case Finished():
                self._finish(event)
            case Failed():
                self._took(event)
                if not isinstance(event.error, Interrupted):
                    self._line(event.at, "red", f"failed: {doing(event.step, self._name)}")
            case Reverting():
                self._line(event.at, "yellow", "undoing what was done; what served before goes on serving")
            case Said():
                self._line(event.at, "yellow", event.text)
            case Ended():
                self.close()
                return
        self._show_running()

    def output(self, server: str, stage: str, line: str) -> None:
        """Take in a line that a command on a server prints, from any thread: the view shows the last one."""
        self._board.output(server, stage, line, self._clock.now())

    def echo(self, server: str, stage: str, line: str) -> None:
        """Print a line that a command on a server prints, from any thread."""
        self._console.print(f"{self._name(server)} {stage}: {line}", highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Stop the moving view; what it showed last stays."""
        if self._view:
            self._view.close()

    def _learn(self, facts: tuple[Fact, ...]) -> None:
        self._servers |= Names.of(fact for fact in facts if isinstance(fact, Server))

    def _start(self, event: Started) -> None:
        self._running[event.step] = event.at
        if isinstance(event.step, Watch):
            self._line(event.at, "yellow", f"watching {counted(event.step.count, 'new server')}{self._watch}")

    def _finish(self, event: Finished) -> None:
        self._learn(event.facts)
        took = self._took(event)
        self._replaced += sum(1 for fact in event.facts if isinstance(fact, BuildDied))
        if isinstance(event.step, TakeClaim):
            self._claimed_at = event.at
        if isinstance(event.step, ProbeOld):
            self._probed(event, event.step.moment)
        elif isinstance(event.step, ProbeNew):
            return  # all is as it was a moment ago
        elif any(isinstance(fact, Distrusted) for fact in event.facts):
            self._line(event.at, "red", f"refused: {doing(event.step, self._name)}")
        elif not self._is_in_rows(event):
            self._line(event.at, "green", self._finished(event), took=took)

    def _is_in_rows(self, event: Finished) -> bool:
        """Say whether the moving view tells of it. Builds that failed are worth a line all the same."""
        servers = [fact for fact in event.facts if isinstance(fact, Server)]
        is_well = all(server.status is not ServerStatus.ERROR for server in servers)
        return self._view is not None and isinstance(event.step, IN_ROWS) and is_well

    def _probed(self, event: Finished, moment: Moment) -> None:
        """Show one line for all old servers that are well, once the last was asked, and one for each that is not."""
        for fact in event.facts:
            if isinstance(fact, Probed) and fact.problem:
                self._line(event.at, "red", f"{self._name(fact.server_id)} does not answer its check: {fact.problem}")
            else:
                self._well[moment] += 1
        if not any(isinstance(step, ProbeOld) and step.moment is moment for step in self._running):
            well = self._well.pop(moment, 0)
            who = "1 old server answers its check" if well == 1 else f"{well} old servers answer their checks"
            when = " after the migrations as before" if moment is Moment.AFTER else ""
            if well:
                self._line(event.at, "green", f"{who}{when}")

    def _finished(self, event: Finished) -> str:
        """Word what was done; of builds, those that have ended."""
        servers = [fact for fact in event.facts if isinstance(fact, Server)]
        if isinstance(event.step, WatchBuilds):
            return "; ".join(self._built(server) for server in servers)
        return done(event.step, self._name)

    def _took(self, event: Finished | Failed) -> float:
        took = event.at - self._running.pop(event.step, event.at)
        stage = STAGES.get(type(event.step))
        if stage:
            self._stages[stage] = max(self._stages[stage], took)
        return took

    def _line(self, at: float, colour: str, text: str, *, took: float = 0.0) -> None:
        seconds = f" [dim]({took:.1f} s)[/dim]" if took >= 1 else ""
        mark = f"[{colour}]●[/{colour}]" if self._console.is_terminal else "-"
        self._console.print(
            f"{at - self._started:7.1f} s  {mark} {escape(text)}{seconds}", highlight=False, markup=True
        )

    def _show_running(self) -> None:
        if self._view:
            beside = tuple(doing(step, self._name) for step in self._running if not isinstance(step, IN_ROWS))
            self._view.show(beside, self._name)

    def _built(self, server: Server) -> str:
        name = self._name(server.name)
        if server.status is ServerStatus.ACTIVE:
            return f"{name} booted at {server.private_ip}"
        return f"{name} failed to boot: {server.fault or server.status}"
