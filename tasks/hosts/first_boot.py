"""How far a server's first boot has brought its set-up, where it sets itself up: asked over SSH, waited for.

Refuses to reboot anything: that takes the cloud's API.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from tasks.errors import CommandFailed, HostError, HostUnreachable, TimedOut
from tasks.hosts.app import Deadlines
from tasks.hosts.injected import STATE_FOLDER, Bootstrap
from tasks.hosts.output import TAIL_LINES
from tasks.hosts.running import NO_EXIT_CODE, Command
from tasks.rollout.model import Server
from tasks.waiting import Clock, Patience, until

STAGE = "set up"
_EXIT_CODE = re.compile(r"[0-9]{1,3}")
_LOOKING = "looking how far its first boot is"


class Progress(StrEnum):
    """How far it is."""

    RUNNING = "running"  # the machine scripts have not all run
    FAILED = "failed"
    DONE = "done"  # they have, in the boot that is under way
    REBOOTING = "rebooting"  # they have, in an earlier boot, and rc.local has not run yet in this one
    REBOOTED = "rebooted"  # rc.local has run in a later boot


_ASK = f"""
state=${{SERVER_ROOT:-}}{STATE_FOLDER} boot=${{SERVER_ROOT:-}}/run/disposable-servers
if [ -e "$state/bootstrap.failed" ]; then echo {Progress.FAILED}; cat "$state/bootstrap.failed"
elif [ ! -e "$state/bootstrap.done" ]; then echo {Progress.RUNNING}
elif [ -e "$boot/first-boot" ]; then echo {Progress.DONE}
elif [ -e "$boot/started" ]; then echo {Progress.REBOOTED}
else echo {Progress.REBOOTING}
fi"""

# 0 is fine, 2 is finished with recoverable errors, 1 is crashed (cloud-init docs, return codes). What our own scripts
# did wrong they say better themselves. An image may bring the program and yet not run it: then there is no folder.
_AWAIT_CLOUD_INIT = f"""
state=${{SERVER_ROOT:-}}{STATE_FOLDER}
if [ ! -d "${{SERVER_ROOT:-}}/run/cloud-init" ] || ! command -v cloud-init >/dev/null; then exit 0; fi
code=0
cloud-init status --wait >/dev/null || code=$?
if [ -e "$state/bootstrap.failed" ]; then exit 0; fi
if [ "$code" -ne 0 ]; then cloud-init status --long || :; fi
if [ "$code" -ne 0 ] && [ "$code" -ne 2 ]; then exit "$code"; fi
if [ ! -e "$state/bootstrap.done" ]; then
    echo "cloud-init has finished, but it was given no user data of ours: does the cloud need a config drive for it?"
    exit 1
fi"""

Run = Callable[[Server, Command], str]


@dataclass(frozen=True, kw_only=True)
class FirstBoot:
    """Waits for servers that set themselves up.

    :param run: runs a command on a server and gives what it printed; its failures are CommandFailed.
    :param login: how long a server may take to let us in, once it is set up or up again.
    """

    way: Bootstrap
    run: Run
    clock: Clock
    deadlines: Deadlines
    login: Patience

    def await_machine(self, server: Server) -> Progress:
        """Wait until the machine scripts have run.

        :raises CommandFailed: one of them failed, or cloud-init itself did.
        :raises HostError: they have not ended before the deadline for set-up.
        """
        limit = self.deadlines.set_up
        # The keys by which it is trusted may be printed only after all that it runs at its first boot.
        patience = Patience(limit=self.login.limit + limit, longest=self.login.longest)
        if self.way is Bootstrap.CLOUD_INIT:
            name = "cloud-init status --wait"
            command = Command(stage=STAGE, name=name, script=_AWAIT_CLOUD_INIT, deadline=limit, patience=patience)
            self.run(server, command)
        look = partial(self._look, server, {Progress.RUNNING}, patience)
        return self._until(look, server, "the machine scripts to run at its first boot", limit)

    def await_rc_local(self, server: Server) -> None:
        """Wait until rc.local has run in a later boot than the first.

        :raises HostError: it has not before a server has to let us in.
        """
        look = partial(self._look_again, server)
        self._until(look, server, "rc.local to run after the reboot", self.login.limit)

    def _look(self, server: Server, not_yet: AbstractSet[Progress], patience: Patience) -> Progress | None:
        command = Command(stage=STAGE, name=_LOOKING, script=_ASK, deadline=self.deadlines.ask, patience=patience)
        lines = self.run(server, command).splitlines()
        # sudo may have something to say first.
        at = next((number for number, line in enumerate(lines) if line in set(Progress)), None)
        if at is None:
            return None
        progress = Progress(lines[at])
        if progress is Progress.FAILED:
            raise _failed(server, lines[at + 1 :])
        return None if progress in not_yet else progress

    def _look_again(self, server: Server) -> Progress | None:
        not_yet = {Progress.RUNNING, Progress.DONE, Progress.REBOOTING}
        try:
            return self._look(server, not_yet, self.login)
        except HostUnreachable:
            return None  # the connection was to the boot before
        except CommandFailed as error:
            if error.command != _LOOKING:
                raise
            return None  # it ended with the boot before

    def _until(self, look: Callable[[], Progress | None], server: Server, what: str, limit: float) -> Progress:
        try:
            return until(look, what=what, patience=Patience(limit=limit, longest=1.0), clock=self.clock)
        except TimedOut as error:
            raise HostError(
                f"set up failed on {server.name}: {error}",
                server=server.name,
                advice=f"Was it created with bootstrap = {self.way}? Its console may say more: "
                f"fab servers.console --server {shlex.quote(server.name)}",
            ) from error


def _failed(server: Server, result: Sequence[str]) -> CommandFailed:
    first, *tail = result[: TAIL_LINES + 1] or [""]
    script, _, code = first.rpartition(" ")
    exit_code = int(code) if _EXIT_CODE.fullmatch(code) else NO_EXIT_CODE
    return CommandFailed(server=server.name, stage=STAGE, command=script, exit_code=exit_code, tail="\n".join(tail))
