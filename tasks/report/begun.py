"""What `fab init` says: what the app was recognised as, what was written, what to see to, what to type next."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

from rich.console import Console

from tasks.settings import LOCAL
from tasks.starting.beginning import Begun
from tasks.starting.files import SCRIPTS

WIDTH = 80


def show(begun: Begun, cloud: str, console: Console) -> None:
    """Say what was done for an app, and what its owner does next."""
    app = begun.app
    _say(console, f"{begun.name} is {app.kind}: {app.seen}.")
    _say(console, "Its web process will be:")
    _say(console, f"    {app.processes['web']}\n")
    _say(console, "Written:")
    for name, about in _listed(begun):
        _say(console, f"    {name:28}  {about}")
    if app.advice:
        _say(console, "\nBefore you deploy:")
        for advice in app.advice:
            _say(console, textwrap.fill(advice, WIDTH, initial_indent="    ", subsequent_indent="    "))
    _say(console, "\nNext:")
    for command, meaning in _next(begun, cloud):
        _say(console, f"    {command:28}  {meaning}".rstrip())


def _listed(begun: Begun) -> list[tuple[str, str]]:
    shown = [(_near(file.path), file.about) for file in begun.files if SCRIPTS not in file.path.parts]
    scripts = begun.home / SCRIPTS
    has_scripts = any(file.path.is_relative_to(scripts) for file in begun.files)
    return [*shown, (f"{_near(scripts)}/", "how servers are set up: yours to change")] if has_scripts else shown


def _next(begun: Begun, cloud: str) -> list[tuple[str, str]]:
    where = _near(begun.home)
    there = [(f"cd {where}", "")] if where != "." else []
    meaning = "on a cloud that runs on this machine" if cloud in {"", LOCAL} else f"to the cloud {cloud}"
    return [*there, ("fab plan", "what a deploy would do"), ("fab deploy", meaning)]


def _near(path: Path) -> str:
    """Give a path as one types it from here."""
    return min(os.path.relpath(path), str(path), key=len)


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
