"""Looking at a folder: which kind of app is in it, and how it is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tasks.starting import requirements
from tasks.starting.django_sites import django_site
from tasks.starting.model import App, Kind
from tasks.starting.node_apps import node_app
from tasks.starting.procfiles import procfile_app
from tasks.starting.reading import health_path
from tasks.starting.web_apps import web_app

# Whoever has written a Procfile has said how the app is run; the others follow from the surest sign to the least.
LOOKS: Sequence[Callable[[Path], App | None]] = (procfile_app, django_site, web_app, node_app)
SIGNS = "Procfile, manage.py, a WSGI or ASGI application in a Python file, package.json with a start script"


def look(folder: Path) -> App | None:
    """Give the app in a folder; None when nothing says how it is started."""
    return next((app for look in LOOKS if (app := look(folder))), None)


def started_by(command: str, folder: Path) -> App:
    """Give the app in a folder whose web process is this command; the rest is what is seen there."""
    seen = look(folder)
    if seen:
        return replace(seen, processes={**seen.processes, "web": command})
    needed = requirements.own(folder)
    return App(
        kind=Kind.COMMAND,
        seen=f"`{command}`",
        processes={"web": command},
        requirements=needed.name,
        check_path=health_path(folder),
        files=needed.files,
    )


def name_of(folder: Path) -> str:
    """Give a name for the app: its folder's, as far as a host name can have it."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")
    return re.sub(r"^[^a-z]+", "", name)[:19].rstrip("-") or "app"
