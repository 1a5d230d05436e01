"""What is to be run on every server: the app's commands, processes, environment and check. Values only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tasks.errors import SettingsError
from tasks.hosts.access import Secret

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROCESS = re.compile(r"[A-Za-z0-9_-]+")
_SHORTEST_HIDDEN = 6


@dataclass(frozen=True, kw_only=True)
class Check:
    """What the app must answer to count as up: GET `path` gives `status` within `deadline` seconds.

    :param host: what the request's Host header says; "" = the address that is asked.
    """

    path: str = "/healthz"
    host: str = ""
    status: int = 200
    deadline: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """How long a command on a server may take, by stage, in seconds. `push` and `set_up` are for each single step."""

    push: float = 300.0
    set_up: float = 900.0
    migrate: float = 1800.0
    test: float = 1800.0
    start: float = 60.0
    ask: float = 20.0


@dataclass(frozen=True, kw_only=True)
class AppCommands:
    """What is run on a server. An empty `migrate` or `test` skips that stage.

    :param processes: name → command line, as in a Procfile.
    :param env: what the app finds in its environment; beside it, the deploy's own (RELEASE, SERVER_NAME …).
    :raises SettingsError: a name or a command cannot be written to a Procfile or an environment.
    """

    node_port: int
    migrate: str = ""
    test: str = ""
    processes: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str | Secret] = field(default_factory=dict)
    check: Check = Check()
    deadlines: Deadlines = Deadlines()

    def __post_init__(self) -> None:
        mistakes = [f"environment variable {name!r}" for name in self.env if not _VARIABLE.fullmatch(name)]
        mistakes += [f"process name {name!r}" for name in self.processes if not _PROCESS.fullmatch(name)]
        mistakes += [f"command of process {name!r}: one line" for name, it in self.processes.items() if "\n" in it]
        mistakes += [f"{what} {name!r}: a NUL byte in it" for what, name, text in self._texts() if "\0" in text]
        if mistakes:
            raise SettingsError("not possible on a server: " + ", ".join(mistakes))

    def _texts(self) -> Iterator[tuple[str, str, str]]:
        yield from (("command", name, text) for name, text in (("migrate", self.migrate), ("test", self.test)))
        yield from (("process", name, command) for name, command in self.processes.items())
        for name, value in self.env.items():
            yield "environment variable", name, value.reveal() if isinstance(value, Secret) else value

    def without_secrets(self, text: str) -> str:
        """Give a text with the secret values of the environment replaced: a traceback of the app may print them."""
        secrets = [value.reveal() for value in self.env.values() if isinstance(value, Secret)]
        for part in (line for secret in secrets for line in secret.splitlines()):
            if len(part) >= _SHORTEST_HIDDEN:
                text = text.replace(part, "[hidden]")
        return text
