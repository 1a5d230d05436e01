"""Recognising a Node application by its package.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tasks.starting.model import NODE_SCRIPT, App, Kind
from tasks.starting.reading import UNREADABLE, health_path, text_of

LISTEN = 'export HOST="$PRIVATE_IP" PORT="$NODE_PORT"; '
"""What apps that are told where to listen by their environment look at."""
_MAINS = ("server.js", "index.js", "app.js", "main.js")
_PLAIN_NODE = re.compile(r"node\s+[\w./ =-]+")
_HEEDS_HOST = re.compile(r"\bHOST\b|PRIVATE_IP")


def node_app(folder: Path) -> App | None:
    """Give the Node application in a folder, if there is one."""
    about = _about(folder)
    command = _start(folder, about) if about is not None else None
    if not command:
        return None
    return App(
        kind=Kind.NODE,
        seen=f"package.json, started by `{command}`",
        processes={"web": LISTEN + command},
        check_path=health_path(folder),
        scripts=(NODE_SCRIPT,),
        advice=_advice(folder, command),
    )


def has_package(folder: Path) -> bool:
    """Say whether there is a package.json that is one."""
    return _about(folder) is not None


def _about(folder: Path) -> dict[str, Any] | None:
    try:
        about = json.loads(text_of(folder / "package.json"))
    except UNREADABLE:
        return None
    return about if isinstance(about, dict) else None


def _start(folder: Path, about: dict[str, Any]) -> str | None:
    scripts = about.get("scripts")
    start = scripts.get("start") if isinstance(scripts, dict) else None
    if isinstance(start, str) and start.strip():
        # npm between would be one more process to pass a signal on; it is needed where the script is a shell's line.
        return start.strip() if _PLAIN_NODE.fullmatch(start.strip()) else "npm start"
    mains = [name for name in (about.get("main"), *_MAINS) if isinstance(name, str) and (folder / name).is_file()]
    return f"node {mains[0]}" if mains and re.fullmatch(r"[\w./-]+", mains[0]) else None


def _advice(folder: Path, command: str) -> tuple[str, ...]:
    name = command.rsplit(maxsplit=1)[-1]
    main = folder / (name if name.endswith("js") else "server.js")
    if not main.is_file() or _HEEDS_HOST.search(text_of(main)):
        return ()
    told = f"{main.name}: let it listen on process.env.HOST, not on every address"
    return (f"{told}: servers of the local cloud share this machine's ports.",)
