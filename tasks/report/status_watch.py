"""The state of a site, again and again, until somebody presses Ctrl-C. Refuses to know how a cloud is looked at."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from tasks.errors import DeployError
from tasks.plain import plain
from tasks.report.status import State, parts
from tasks.report.status_json import as_json
from tasks.waiting import Clock, Patience, until

SECONDS = 5.0
"""From one look to the next."""
Look = Callable[[], State]


class Screen(Protocol):
    """Where each look goes."""

    def state(self, state: State) -> None:
        """Take in what was seen."""

    def trouble(self, error: DeployError) -> None:
        """Take in why nothing was seen this time."""


def watch(look: Look, screen: Screen, clock: Clock) -> None:
    """Look every few seconds until Ctrl-C, which is how it is meant to end.

    A look that fails ends nothing: the next one may see again.
    """

    def again() -> None:
        try:
            screen.state(look())
        except DeployError as error:
            screen.trouble(error)

    try:
        until(again, what="Ctrl-C", patience=Patience(limit=math.inf, first=SECONDS, growth=1.0), clock=clock)
    except KeyboardInterrupt:
        return


def watch_terminal(look: Look, console: Console, clock: Clock) -> None:
    """Watch, drawing each state over the one before; in a pipe, one below the other when something has changed."""
    if not console.is_terminal:
        watch(look, Lines(console), clock)
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        watch(look, Drawn(lambda drawing: live.update(drawing, refresh=True)), clock)


def watch_json(look: Look, clock: Clock) -> None:
    """Watch for a program: a line of JSON, as `status --json` has it, whenever something has changed."""
    watch(look, JsonLines(), clock)


@dataclass(frozen=True)
class Drawn:
    """Draws each state over the one before."""

    draw: Callable[[RenderableType], None]
    last: list[RenderableType] = field(default_factory=list)

    def state(self, state: State) -> None:
        """Draw the state."""
        self.last[:] = [*parts(state), Text("\nCtrl-C ends this.", style="dim")]
        self.draw(Group(*self.last))

    def trouble(self, error: DeployError) -> None:
        """Draw the last state with what keeps it from being the present one."""
        self.draw(Group(*self.last, Text(f"not seen this time: {error.problem}", style="yellow")))


class Lines:
    """Prints each state below the one before, when something has changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def state(self, state: State) -> None:
        """Print the state, unless it is as it was."""
        if self._is_new(json.dumps(as_json(state))):
            for part in parts(state):
                self._console.print(part)

    def trouble(self, error: DeployError) -> None:
        """Say why nothing was seen, once."""
        if self._is_new(error.problem):
            self._console.print(f"not seen this time: {error.problem}", highlight=False, markup=False)

    def _is_new(self, text: str) -> bool:
        is_new, self._last = text != self._last, text
        return is_new


class JsonLines:
    """Prints each state as a line of JSON, when something has changed."""

    def __init__(self) -> None:
        self._last = ""

    def state(self, state: State) -> None:
        """Print the state, unless it is as it was."""
        line = json.dumps(as_json(state)) + "\n"
        if line != self._last:
            self._last = line
            sys.stdout.write(line)
            sys.stdout.flush()

    def trouble(self, error: DeployError) -> None:
        """Say on standard error why nothing was seen: programs read the other one."""
        sys.stderr.write(f"not seen this time: {plain(error.problem)}\n")
