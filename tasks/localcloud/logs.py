"""What `logs` shows: where the logs are, and their last lines."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tasks.localcloud.lifecycle import tail
from tasks.localcloud.locks import holder
from tasks.localcloud.state import Access, StateDirectory

_SERVER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NoSuchLog(Exception):
    """No server, or more than one, is meant."""


def overview(state: StateDirectory, lines: int) -> Iterator[str]:
    """Give name, path and last lines of every log."""
    names = server_names(state)
    named = {"API requests": state.api_log, "daemon": state.daemon_log}
    named |= {f"console of {names.get(server, server)}": path for server, path in _consoles(state).items()}
    for name, path in named.items():
        if path.exists():
            yield f"==> {name}: {path}"
            yield from tail(path, lines)
            yield ""


def console_of(state: StateDirectory, server: str) -> Path:
    """Find the console log of a server by its name or id.

    :raises NoSuchLog: no server, or more than one, is called that.
    """
    names = server_names(state)
    found = [path for server_id, path in _consoles(state).items() if server in {server_id, names.get(server_id)}]
    if len(found) != 1:
        known = ", ".join(names.get(server_id, server_id) for server_id in _consoles(state)) or "none"
        raise NoSuchLog(f"{len(found)} servers are called {server!r}; those with a console: {known}")
    return found[0]


def follow(paths: list[Path]) -> int:
    """Show logs as they grow, until Ctrl-C; gives the exit code."""
    command = ["tail", "--follow=name", "--retry", "--lines=10", *map(str, paths)]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 0


def server_names(state: StateDirectory) -> dict[str, str]:
    """Ask the running cloud for the names of its servers, by id; none when it does not run."""
    if holder(state.lock) is None or not state.record.exists():
        return {}
    access = state.access()
    connection = http.client.HTTPConnection(urlsplit(access.auth_url_v3).netloc, timeout=10)
    try:
        answer = _ask(connection, "/compute/v2.1/servers", {"X-Auth-Token": _token(connection, access)})
    except OSError:
        return {}  # it is going down at this moment: its logs can be read all the same, by id
    finally:
        connection.close()
    # A fault may have struck this very question.
    return {server["id"]: server["name"] for server in answer.get("servers", [])}


def _token(connection: http.client.HTTPConnection, access: Access) -> str:
    user = {"name": access.username, "password": access.password, "domain": {"id": "default"}}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/identity/v3/auth/tokens", json.dumps({"auth": auth}), headers)
    answer = connection.getresponse()
    answer.read()
    return str(answer.getheader("X-Subject-Token"))


def _ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> Any:
    connection.request("GET", path, headers=headers)
    return json.loads(connection.getresponse().read())


def _consoles(state: StateDirectory) -> dict[str, Path]:
    """Give the consoles by server id; folders of another name are the hypervisor's own."""
    found = sorted(state.machines.glob("*/console.log"))
    return {path.parent.name: path for path in found if _SERVER_ID.fullmatch(path.parent.name)}
