"""A lab whose servers have bad days: what is armed there strikes, and its hold points hold."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh

from tasks.localcloud.faults.at_servers import ServersFate
from tasks.localcloud.faults.bad_days import BadDays
from tasks.localcloud.faults.holds import Hold, Moment
from tasks.localcloud.faults.names import FaultName
from tasks.localcloud.faults.registry import Fault
from tasks.localcloud.machines.spec import Isolation, MachineSpec
from tests.localcloud.machines.lab import Lab, started


class UnluckyLab:
    """A lab whose servers have bad days on request."""

    def __init__(self, lab: Lab, bad_days: BadDays, names: dict[str, str]) -> None:
        self.lab = lab
        self.holds = bad_days.holds
        self.faults = bad_days.faults
        self._names = names

    def boot(self, name: str = "web-1") -> MachineSpec:
        """Boot a server of this name."""
        spec = self.lab.spec()
        self._names[spec.id] = name
        self.lab.run(self.lab.hypervisor.boot(spec))
        return spec

    def arm(self, name: FaultName, **fields: Any) -> None:
        """Ask for a fault, as the control API does: from the event loop."""

        async def arm() -> None:
            self.faults.arm(Fault(name=name, **fields))

        self.lab.run(arm())

    def hold(self, session: int, moment: Moment) -> None:
        """Hold the `session`-th SSH session from now on."""

        async def hold() -> None:
            self.holds.arm(Hold(request=session, moment=moment))

        self.lab.run(hold())

    def until_held(self) -> str:
        """Wait until a session is held; gives what it is."""
        held = self.lab.run(self.holds.until_held(15))
        assert held, "nothing was held"
        return f"{held.kind} {held.what}"

    def release(self) -> None:
        """Let go of what is held."""

        async def release() -> None:
            self.holds.release()

        self.lab.run(release())

    def clear(self) -> None:
        """Forget all faults and hold points, and delete all servers."""
        self.release()
        self.faults.clear()
        for machine_id in self._names:
            self.lab.run(self.lab.hypervisor.delete(machine_id))
        self._names.clear()

    def knock(self, server: MachineSpec) -> str:
        """Connect, and say how the server begins to talk, or why it does not."""
        try:
            with socket.create_connection((server.private_ip, server.ssh_port), timeout=20) as connection:
                return connection.recv(7).decode() or "closed"
        except (ConnectionRefusedError, ConnectionResetError) as error:
            return type(error).__name__

    async def outcome(self, server: MachineSpec, command: str) -> int | str:
        """Run a command and give its exit status, or "cut" when the connection was."""
        connection = await self.lab.connect(server)
        try:
            result = await connection.run(command)
        except (asyncssh.ConnectionLost, ConnectionError, asyncssh.ChannelOpenError):
            return "cut"
        finally:
            connection.abort()
        return "cut" if result.exit_status is None else int(result.exit_status)

    def run(self, server: MachineSpec, command: str) -> int | str:
        """Run a command to its outcome."""
        return self.lab.run(self.outcome(server, command))


@contextmanager
def unlucky_lab(folder: Path, isolation: Isolation) -> Iterator[UnluckyLab]:
    """Run such a lab."""
    bad_days, names = BadDays(), {}
    fate = ServersFate(bad_days, names.__getitem__)
    with started(folder, isolation, fate) as lab:
        yield UnluckyLab(lab, bad_days, names)
