"""The first and the last words of a deploy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from tasks.release.model import Release
from tasks.report.journals import REPORT
from tasks.report.outlook import until
from tasks.report.progress import Figures
from tasks.report.status import State, addresses, servers_table
from tasks.report.wording import counted
from tasks.rollout.goal import Goal
from tasks.rollout.returning import parked_before
from tasks.settings import LOCAL


def announce(goal: Goal, release: Release, console: Console) -> None:
    """Say what is about to be deployed."""
    console.print(
        f"Deploying {goal.app} to {goal.environment}: release {release.id} ({release.label}, {_megabytes(release)}), "
        f"{counted(goal.count, 'new server')}, generation {goal.generation}.",
        highlight=False,
        markup=False,
    )
    if release.note:
        console.print(f"Note: {release.note}", style="yellow", markup=False)


@dataclass(frozen=True, kw_only=True)
class Records:
    """What a deploy leaves on the operator's machine.

    :param known_hosts: the servers' SSH host keys, for plain ssh.
    :param ssh: gives the command that logs in to a private IP.
    """

    journal: Path
    known_hosts: Path
    ssh: Callable[[str], str]


def show_summary(state: State, release: Release, figures: Figures, records: Records, console: Console) -> None:
    """Say where the app is to be found, who serves, how long it took and what to type next."""
    _say(console, f"\n[bold green]{state.app} is deployed to {state.environment}.[/]\n")
    _say(console, f"  Open      {escape('  '.join(addresses(state.seen)))}")
    _say(console, f"  Release   {release.id} ({escape(release.label)})")
    if release.note:
        _say(console, f"            {escape(release.note)}")
    _say(console, f"  Stages    {_stages(figures.stages)}")
    if figures.replaced:
        _say(console, f"  Builds    {_replaced(figures.replaced)}")
    _say(console, f"  Claim     held for {figures.claimed:.1f} s")
    _say(console, f"  Report    {escape(str(records.journal.with_name(REPORT)))}")
    _say(console, f"  Journal   {escape(str(records.journal))}")
    _say(console, f"  Host keys {escape(str(records.known_hosts))}")
    _say(console, f"  Log in    {escape(_login(state, records))}\n")
    console.print(Padding(servers_table(state), (0, 0, 1, 2), expand=False))
    for number, (command, meaning) in enumerate(_next_commands(state)):
        _say(console, f"  {'' if number else 'Next':8}  [bold]{command:14}[/]  {meaning}")


def _login(state: State, records: Records) -> str:
    open_ones = [server.private_ip for server in state.serving if server.private_ip and not server.labels.sealed]
    return records.ssh(open_ones[0]) if open_ones else "nobody can: the servers are sealed"


def _next_commands(state: State) -> list[tuple[str, str]]:
    commands = [("fab status", "who serves"), ("fab deploy", "replace every server by a new one")]
    parked = parked_before(state.seen)
    if parked:
        labels = parked[0].labels
        commands.append(("fab rollback", f"go back to release {labels.release}, kept {until(labels.parked)}"))
    return [*commands, ("fab local.down", "end the local cloud")] if state.cloud == LOCAL else commands


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=True)


def _stages(stages: Mapping[str, float]) -> str:
    """Give each stage's time on its slowest server, in the order in which they first ended."""
    return " · ".join(f"{stage} {seconds:.1f} s" for stage, seconds in stages.items()) + "  (the slowest of each)"


def _replaced(number: int) -> str:
    return (
        "1 build was of no use and was replaced" if number == 1 else f"{number} builds were of no use and were replaced"
    )


def _megabytes(release: Release) -> str:
    return f"{release.size / 1e6:.1f} MB"
