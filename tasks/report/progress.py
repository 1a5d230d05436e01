"""Progress, as it happens: one line for each thing that is done, and below them what is under way.

In a terminal the last line moves; elsewhere (CI, a pipe) there are only the lines, each with the seconds since the
start.
"""

from __future__ import annotations

from collections import defaultdict

from rich.console import Console
from rich.markup import escape

from tasks.errors import Interrupted
from tasks.report.wording import STAGES, Names, doing, done
from tasks.rollout.events import Event, Failed, Finished, Observed, Reverting, Said, Started
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Distrusted, Fact
from tasks.rollout.steps import Step, WatchBuilds
from tasks.waiting import Clock


class Progress:
    """Listens to a rollout and shows it on a console."""

    def __init__(self, console: Console, clock: Clock, prefix: str) -> None:
        self._console = console
        self._started = clock.now()
        self._running: dict[Step, float] = {}
        self._servers: dict[str, str] = {}
        self._name = Names(prefix=prefix, servers=self._servers)
        self._status = console.status("", spinner="dots") if console.is_terminal else None
        self.stages: dict[str, float] = defaultdict(float)

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Observed():
                self._learn(event.seen.servers)
            case Started():
                self._running[event.step] = event.at
            case Finished():
                self._learn(event.facts)
                took = self._took(event)
                if any(isinstance(fact, Distrusted) for fact in event.facts):
                    self._line(event.at, "red", f"refused: {doing(event.step, self._name)}")
                else:
                    self._line(event.at, "green", self._finished(event), took=took)
            case Failed():
                self._took(event)
                if not isinstance(event.error, Interrupted):
                    self._line(event.at, "red", f"failed: {doing(event.step, self._name)}")
            case Reverting():
                self._line(event.at, "yellow", "undoing what was done; servers that served stay as they are")
            case Said():
                self._line(event.at, "yellow", event.text)
        self._show_running()

    def close(self) -> None:
        """Stop the moving line."""
        if self._status:
            self._status.stop()

    def _learn(self, facts: tuple[Fact, ...]) -> None:
        self._servers |= Names.of(fact for fact in facts if isinstance(fact, Server))

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
            self.stages[stage] = max(self.stages[stage], took)
        return took

    def _line(self, at: float, colour: str, text: str, *, took: float = 0.0) -> None:
        seconds = f" [dim]({took:.1f} s)[/dim]" if took >= 1 else ""
        mark = f"[{colour}]●[/{colour}]" if self._console.is_terminal else "-"
        self._console.print(
            f"{at - self._started:7.1f} s  {mark} {escape(text)}{seconds}", highlight=False, markup=True
        )

    def _show_running(self) -> None:
        if not self._status:
            return
        texts = [doing(step, self._name) for step in self._running]
        more = f" and {len(texts) - 2} more" if len(texts) > 2 else ""
        self._status.update(escape(", ".join(texts[:2]) + more))
        if texts:
            self._status.start()
        else:
            self._status.stop()

    def _built(self, server: Server) -> str:
        name = self._name(server.name)
        if server.status is ServerStatus.ACTIVE:
            return f"{name} booted at {server.private_ip}"
        return f"{name} failed to boot: {server.fault or server.status}"
