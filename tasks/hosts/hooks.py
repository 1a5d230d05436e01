"""The operator's own commands at the turning points of a deploy: command lines of the settings, run on this machine.

Refuses to know when they are run, and what becomes of a deploy whose command fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tasks.hosts.watcher import CommandWatcher


class CommandHooks:
    """Runs command lines by the names of their settings (Hooks). Different ones may run at the same time.

    :param commands: by name; empty where there is none.
    :param deadline: how long each may take, in seconds.
    :param hide: takes out of what is told what must not be shown.
    """

    def __init__(self, commands: Mapping[str, str], deadline: float, *, hide: Callable[[str], str] = str) -> None:
        self._runs = {name: CommandWatcher(command, deadline, hide=hide) for name, command in commands.items()}

    def run(self, hook: str, about: Mapping[str, str]) -> str:
        """Run one to its end; say what is wrong and how its output ends, "" when it exits 0 or there is none.

        :raises Interrupted: it was told to stop.
        """
        found = self._runs.get(hook)
        return found.probe(about) if found else ""

    def stop(self) -> None:
        """End those that are under way, as Interrupted, and allow none until `close`."""
        for run in self._runs.values():
            run.stop()

    def close(self) -> None:
        """Allow runs again."""
        for run in self._runs.values():
            run.close()
