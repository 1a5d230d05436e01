"""The servers of the project: how each comes up, is rebooted and goes away. Machines are the hypervisor's affair.

Every change of a server is a new `Server` value in the collection. What takes time runs as one task per server.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from tasks.localcloud.machines.spec import BootFailed, InjectedFile, MachineSpec
from tasks.localcloud.network import AddressPool
from tasks.localcloud.quotas import Count, Quota
from tasks.localcloud.refusals import Conflict, NotFound
from tasks.localcloud.server import Fault, RebootType, Server, ServerRequest, TaskState, VmState

Act = Callable[[], Awaitable[None]]


class Machines(Protocol):
    """What compute needs of a hypervisor."""

    async def boot(self, spec: MachineSpec) -> None:
        """Return when the machine is up.

        :raises BootFailed: it did not come up.
        """

    async def reboot(self, machine_id: str) -> None:
        """Let the machine end its processes, and boot it again."""

    async def hard_reboot(self, machine_id: str) -> None:
        """Kill the machine, and boot it again."""

    async def delete(self, machine_id: str) -> None:
        """End the machine and remove its files; one that does not exist is no error."""

    def console(self, machine_id: str, lines: int | None = None) -> str:
        """Give the last lines of the console log, all when `lines` is None; empty when there is none yet."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What all servers of this cloud have in common: where their addresses come from, the SSH port, the volume."""

    private_ips: AddressPool
    ssh_port: int
    shared: Path


class Servers:
    """All servers, deleted ones included: `changes-since` lists those too."""

    def __init__(self, machines: Machines, site: Site, quota: Quota | None = None) -> None:
        self._machines = machines
        self._site = site
        self.quota = quota or Quota()
        self._servers: dict[str, Server] = {}
        self._acts: dict[str, asyncio.Task[None]] = {}
        self._dead: set[str] = set()

    def all(self) -> list[Server]:
        """Give every server, deleted ones included, newest first."""
        return list(reversed(self._servers.values()))

    def existing(self) -> list[Server]:
        """Give every server that is not deleted, newest first."""
        return [server for server in self.all() if server.vm_state is not VmState.DELETED]

    def find(self, server_id: str) -> Server:
        """Give one server.

        :raises NotFound: there is none of this id, or it is deleted.
        """
        server = self._servers.get(server_id)
        if server is None or server.vm_state is VmState.DELETED:
            raise NotFound(f"Instance {server_id} could not be found.")
        return server

    def create(self, request: ServerRequest, count: Count) -> list[Server]:
        """Accept new servers; they are built from now on. Several get -1, -2 … behind their name.

        :raises Forbidden: a quota or limit does not allow it; none is built.
        """
        self.quota.check_metadata(request.metadata)
        self.quota.check_personality(request.personality)
        used = [server.request.flavor for server in self.existing()]
        number = self.quota.number_of_servers(used, request.flavor, count)
        names = [request.name] if number == 1 else [f"{request.name}-{index}" for index in range(1, number + 1)]
        reservation = f"r-{uuid.uuid4().hex[:8]}"
        return [self._accept(request, name, reservation) for name in names]

    def write_metadata(self, server_id: str, metadata: Mapping[str, str], verb: str) -> Server:
        """Replace all metadata of a server; `verb` is what a refusal calls this.

        :raises Conflict: the server's state does not allow it.
        :raises Forbidden: there are too many items.
        """
        self.find(server_id).check_metadata_change(verb)
        self.quota.check_metadata(metadata)
        return self._change(server_id, metadata=dict(metadata))

    def reboot(self, server_id: str, kind: RebootType) -> None:
        """Begin a reboot.

        :raises Conflict: the server's state does not allow it.
        """
        self.find(server_id).check_reboot(kind)
        if kind is RebootType.SOFT:
            self._change(server_id, task_state=TaskState.REBOOTING)
            self._begin(server_id, partial(self._reboot, server_id, self._machines.reboot))
        else:
            self._change(server_id, task_state=TaskState.REBOOTING_HARD)
            self._begin(server_id, partial(self._reboot, server_id, self._machines.hard_reboot))

    def delete(self, server_id: str) -> None:
        """Begin to delete a server; once more does no harm."""
        if self.find(server_id).task_state is not TaskState.DELETING:
            self._change(server_id, task_state=TaskState.DELETING)
            self._begin(server_id, partial(self._delete, server_id))

    def console(self, server_id: str, lines: int | None) -> str:
        """Give the last lines of a server's console log, all when `lines` is None.

        :raises Conflict: it has not begun to boot.
        :raises NotFound: it never had a console.
        """
        server = self.find(server_id)
        output = self._machines.console(server_id, lines)
        if not output and lines != 0 and server.vm_state is VmState.BUILDING:
            raise Conflict(f"Instance {server_id} is not ready")
        if not output and server.vm_state is VmState.ERROR:
            raise NotFound("Guest does not have a console available.")
        return output

    def machine_died(self, server_id: str) -> None:
        """Take note that a machine has ended by itself: its server is shut off, now or when its boot is over."""
        self._dead.add(server_id)
        server = self._servers.get(server_id)
        if server and server.vm_state is VmState.ACTIVE and server.task_state is None:
            self._change(server_id, vm_state=VmState.STOPPED)

    async def close(self) -> None:
        """End what is under way; the machines are the hypervisor's to end."""
        acts = list(self._acts.values())
        for act in acts:
            act.cancel()
        await asyncio.gather(*acts, return_exceptions=True)

    def _accept(self, request: ServerRequest, name: str, reservation: str) -> Server:
        now = datetime.now(UTC)
        server = Server(
            id=str(uuid.uuid4()),
            request=request,
            name=name,
            private_ip=self._site.private_ips.take(),
            reservation_id=reservation,
            metadata=dict(request.metadata),
            created=now,
            updated=now,
        )
        self._servers[server.id] = server
        self._begin(server.id, partial(self._build, server))
        return server

    async def _build(self, server: Server) -> None:
        self._change(server.id, task_state=TaskState.SPAWNING)
        await self._machines.boot(machine_of(server, self._site))
        self._change(server.id, launched=datetime.now(UTC))
        self._came_up(server.id)

    async def _reboot(self, server_id: str, reboot: Callable[[str], Awaitable[None]]) -> None:
        self._dead.discard(server_id)
        await reboot(server_id)
        self._came_up(server_id)

    def _came_up(self, server_id: str) -> None:
        vm_state = VmState.STOPPED if server_id in self._dead else VmState.ACTIVE
        self._change(server_id, vm_state=vm_state, task_state=None, fault=None)

    async def _delete(self, server_id: str) -> None:
        await self._machines.delete(server_id)
        self._dead.discard(server_id)
        server = self._change(server_id, vm_state=VmState.DELETED, task_state=None, deleted=datetime.now(UTC))
        self._site.private_ips.give_back(server.private_ip)

    def _change(self, server_id: str, **changes: Any) -> Server:
        server = replace(self._servers[server_id], updated=datetime.now(UTC), **changes)
        self._servers[server_id] = server
        return server

    def _begin(self, server_id: str, act: Act) -> None:
        """Start an act on a server in place of the one that is under way."""
        before = self._acts.get(server_id)
        self._acts[server_id] = asyncio.create_task(self._perform(server_id, act, before))

    async def _perform(self, server_id: str, act: Act, before: asyncio.Task[None] | None) -> None:
        if before and not before.done():
            before.cancel()
            await asyncio.wait([before])
        try:
            await act()
        except Exception as error:  # noqa: BLE001  whatever went wrong, the server must say so instead of hanging
            self._fail(server_id, error)

    def _fail(self, server_id: str, error: Exception) -> None:
        if isinstance(error, BootFailed):
            logging.getLogger(__name__).warning("server %s did not boot: %s", server_id, error)
        else:
            logging.getLogger(__name__).error("server %s failed", server_id, exc_info=error)
        fault = Fault(code=500, message=str(error) or type(error).__name__, created=datetime.now(UTC))
        self._change(server_id, vm_state=VmState.ERROR, task_state=None, fault=fault)


def machine_of(server: Server, site: Site) -> MachineSpec:
    """Say which machine a server needs."""
    request = server.request
    return MachineSpec(
        id=server.id,
        hostname=server.hostname,
        private_ip=server.private_ip,
        ssh_port=site.ssh_port,
        authorized_keys=(request.key.public_key,) if request.key else (),
        personality=tuple(InjectedFile(path=path, contents=text) for path, text in request.personality.items()),
        user_data=request.user_data,
        metadata=server.metadata,
        shared=site.shared,
    )
