"""The two files that tell a server who it is and what to run: `env`, for sh, and `Procfile`. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from tasks.hosts.access import Secret
from tasks.hosts.app import AppCommands
from tasks.rollout.model import Server


def env_file(server: Server, app: AppCommands) -> str:
    """Give the `env` file: `export NAME='value'` lines, the deploy's own first, so that the user's can replace them."""
    own = {
        "APP_NAME": server.labels.app,
        "ENVIRONMENT": server.labels.environment,
        "RELEASE": server.labels.release,
        "GENERATION": server.labels.generation,
        "SERVER_NAME": server.name,
        "PRIVATE_IP": server.private_ip or "",
        "NODE_PORT": str(app.node_port),
    }
    # SERVER_ROOT is set where a folder stands for the server's /.
    shared = 'export SHARED_DIR="${SERVER_ROOT:-}/srv/shared"\n'
    return _exports(own) + shared + _exports(app.env)


def procfile(app: AppCommands) -> str:
    """Give the `Procfile`: `name: command` lines."""
    return "".join(f"{name}: {command}\n" for name, command in app.processes.items())


def _exports(variables: Mapping[str, str | Secret]) -> str:
    return "".join(f"export {name}={_quoted(value)}\n" for name, value in variables.items())


def _quoted(value: str | Secret) -> str:
    return shlex.quote(value.reveal() if isinstance(value, Secret) else value)
