"""Recognising an app by its Procfile, and turning what it says of ports into what servers have."""

from __future__ import annotations

import re
from pathlib import Path

from tasks.starting import requirements
from tasks.starting.model import BIND, NODE_SCRIPT, App, Kind
from tasks.starting.node_apps import LISTEN, has_package
from tasks.starting.reading import health_path, text_of

_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")
_PORT = re.compile(r"\$PORT\b|\$\{PORT(?::?-[^}]*)?\}")
_ANYWHERE = re.compile(r"0\.0\.0\.0|\[::\]")
_BARE = re.compile(r"(?<![\w.\]$}]):\$NODE_PORT")
_TOLD = re.compile(r"\$\{?(PRIVATE_IP|NODE_PORT)\b")


def procfile_app(folder: Path) -> App | None:
    """Give the app that a Procfile describes, if there is one with a process called web."""
    found = [match for line in text_of(folder / "Procfile").splitlines() if (match := _LINE.fullmatch(line.strip()))]
    commands = {match[1].lower().replace("_", "-"): match[2] for match in found}
    if "web" not in commands:
        return None
    needed = requirements.own(folder)
    processes = {name: on_port(command) for name, command in commands.items() if name != "release"}
    return App(
        kind=Kind.PROCFILE,
        seen=f"its processes {', '.join(commands)}",
        processes=processes | {"web": web(commands["web"])},
        migrate=on_port(commands.get("release", "")),
        requirements=needed.name,
        check_path=health_path(folder),
        files=needed.files,
        scripts=(NODE_SCRIPT,) if has_package(folder) else (),
    )


def web(command: str) -> str:
    """Give the command of the process that listens: on the server's private IP, at the node port."""
    told = on_port(command)
    if _TOLD.search(told):
        return told
    if re.match(r"gunicorn\b", told):
        return f"{told} --bind {BIND}"
    if re.match(r"uvicorn\b", told):
        return f'{told} --host "$PRIVATE_IP" --port "$NODE_PORT"'
    return LISTEN + told


def on_port(command: str) -> str:
    """Give a command with the port and address of a server: every app has an address of its own there."""
    command = _ANYWHERE.sub("$PRIVATE_IP", _PORT.sub("$NODE_PORT", command))
    return _BARE.sub("$PRIVATE_IP:$NODE_PORT", command)
