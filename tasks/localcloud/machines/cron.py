"""Cron: starts the entries of /etc/cron.d when they are due.

The files are read anew every minute, so that an entry whose file or line has vanished is not started again.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tasks.localcloud.machines.children import Children
from tasks.localcloud.machines.crontab import CrontabError, Entry, parse
from tasks.localcloud.machines.place import Place

_FILE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_LOG = "/var/log/cron.log"


class Cron:
    """The cron of one server. What its programs print goes to /var/log/cron.log, where real ones send mail."""

    def __init__(self, place: Place, children: Children, now: Callable[[], datetime] = datetime.now) -> None:
        self._place = place
        self._children = children
        self._now = now

    async def run(self) -> None:
        """Start what is due at boot, then what is due at the beginning of every minute, for ever."""
        self.start_reboot_entries()
        while True:
            moment = self._now()
            # A tick that comes early by the clock's rounding would see the old minute and start its entries twice.
            await asyncio.sleep(60.02 - moment.second - moment.microsecond / 1e6)
            self.start_due(self._now())

    def start_reboot_entries(self) -> None:
        """Start the @reboot entries."""
        for entry in self._entries():
            if entry.schedule is None:
                self._start(entry)

    def start_due(self, moment: datetime) -> None:
        """Start the entries that are due in the minute of `moment`."""
        for entry in self._entries():
            if entry.schedule is not None and entry.schedule.matches(moment):
                self._start(entry)

    def _entries(self) -> Iterator[Entry]:
        for file in sorted(self._place.at("/etc/cron.d").glob("*")):
            if not _FILE_NAME.fullmatch(file.name) or not file.is_file():
                continue
            for entry in parse(file.read_text(errors="replace")):
                if isinstance(entry, CrontabError):
                    self._log(f"{file.name}: {entry}")
                else:
                    yield entry

    def _start(self, entry: Entry) -> None:
        try:
            identity, home = self._identity(entry.user)
        except KeyError:
            self._log(f"no user {entry.user!r} for: {entry.command}")
            return
        self._log(f"({entry.user}) CMD ({entry.command})")
        environment = {**self._place.environment, "SHELL": "/bin/sh", "HOME": home, **entry.environment}
        with self._place.at(_LOG).open("ab") as log:
            child = self._children.start(
                [environment["SHELL"], "-c", entry.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=home if Path(home).is_dir() else self._place.root,
                env=environment,
                **identity,
            )
        assert child.process.stdin
        try:
            with child.process.stdin as standard_input:
                standard_input.write(entry.standard_input.encode())
        except BrokenPipeError:
            return

    def _identity(self, name: str) -> tuple[dict[str, Any], str]:
        """Give what a user's programs are started with, and the home; without other users, all is the init's own."""
        if "SERVER_ROOT" in self._place.environment or name == "root":
            return {}, str(self._place.home)
        user = pwd.getpwnam(name)
        groups = os.getgrouplist(name, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": groups}, user.pw_dir

    def _log(self, text: str) -> None:
        with self._place.at(_LOG).open("a") as log:
            log.write(f"{self._now():%b %d %H:%M:%S} cron: {text}\n")
