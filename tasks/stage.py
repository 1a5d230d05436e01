"""One stage on some servers: what the tasks of `node` have in common."""

from __future__ import annotations

from typing import Any

from tasks import wiring, wiring_goals
from tasks.recording import recorded
from tasks.report.wording import STAGES
from tasks.rollout import deploying, fleet
from tasks.rollout.model import Server
from tasks.rollout.observation import Observation
from tasks.settings_file import load


def run_on_all(stage: type[deploying.Stage], c: Any, server: str | None, environment: str | None) -> None:
    """Run a stage on the servers that are meant, side by side."""
    _run(stage, _meant, (c, server), environment)


def run_on_leader(stage: type[deploying.Stage], c: Any, server: str | None, environment: str | None) -> None:
    """Run a stage on the first of the servers that are meant."""
    _run(stage, lambda seen, c, server: _meant(seen, c, server)[:1], (c, server), environment)


def _run(stage: type[deploying.Stage], choose: Any, named: tuple[Any, str | None], environment: str | None) -> None:
    settings = load(environment=environment)
    with wiring.open_site(settings) as opened:
        servers = choose(opened.site.observe(), *named)
        goal = wiring_goals.goal_of(settings, servers)
        with recorded(STAGES[stage], goal, opened):
            seen = deploying.run_stage(stage, servers, goal, opened.site)
        generation = seen.generation(goal.generation)
        opened.console.print(f"generation {goal.generation}: {fleet.progress(generation)}", highlight=False)


def _meant(seen: Observation, c: Any, server: str | None) -> tuple[Server, ...]:
    """Give the server that `-H` or `--server` names, or all of the newest generation."""
    name = server or getattr(c, "host", None)  # with -H, Fabric hands the task a Connection
    return (fleet.named(seen, name),) if name else fleet.newest(seen)
