"""The servers of the project: how each comes up, is rebooted and goes away. Machines are the hypervisor's affair.

Every change of a server is a new `Server` value in the collection. What takes time runs as one task per server.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tasks.localcloud.compute.acts import Act, Acts
from tasks.localcloud.compute.machines import Machines, Site, machine_of
from tasks.localcloud.compute.quotas import Count, Quota
from tasks.localcloud.compute.refusals import Conflict, NotFound
from tasks.localcloud.compute.server import Fault, RebootType, Server, ServerRequest, TaskState, VmState, hostname_of
from tasks.localcloud.faults.past import Past
from tasks.localcloud.machines.snapshots import SnapshotFailed
from tasks.localcloud.machines.spec import BootFailed


class Servers:
    """All servers, deleted ones included: `changes-since` lists those too."""

    def __init__(self, machines: Machines, site: Site, quota: Quota | None = None) -> None:
        self.machines = machines
        self._site = site
        self.quota = quota or Quota()
        self._servers: dict[str, Server] = {}
        self._past: Past[tuple[Server, ...]] = Past(())
        self._hidden_until: dict[str, float] = {}
        self.acts = Acts(self._fail)
        self._dead: set[str] = set()

    def all(self) -> list[Server]:
        """Give every server, deleted ones included, newest first."""
        return list(reversed(self._servers.values()))

    def existing(self) -> list[Server]:
        """Give every server that is not deleted, newest first."""
        return [server for server in self.all() if server.vm_state is not VmState.DELETED]

    def listed(self, *, seconds_ago: float = 0.0) -> list[Server]:
        """Give what a list would have shown so many seconds ago, deleted ones included, newest first."""
        moment = time.monotonic() - seconds_ago
        shown = (server for server in self._past.ago(seconds_ago) if self._hidden_until.get(server.id, 0.0) <= moment)
        return list(shown)[::-1]

    def hide(self, server_id: str, seconds: float) -> None:
        """Keep a server out of all lists for so long."""
        self._hidden_until[server_id] = time.monotonic() + seconds

    def find(self, server_id: str) -> Server:
        """Give one server.

        :raises NotFound: there is none of this id, or it is deleted.
        """
        server = self._servers.get(server_id)
        if server is None or server.vm_state is VmState.DELETED:
            raise NotFound(f"Instance {server_id} could not be found.")
        return server

    def change(self, server_id: str, **changes: Any) -> Server:
        """Change fields of a server; gives what it is now."""
        return self._keep(replace(self._servers[server_id], updated=datetime.now(UTC), **changes))

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
        return self.change(server_id, metadata=dict(metadata))

    def reboot(self, server_id: str, kind: RebootType) -> None:
        """Begin a reboot.

        :raises Conflict: the server's state does not allow it.
        """
        self.find(server_id).check_reboot(kind)
        if kind is RebootType.SOFT:
            self.change(server_id, task_state=TaskState.REBOOTING)
            self.acts.begin(server_id, "reboot", partial(self._reboot, server_id, self.machines.reboot))
        else:
            self.change(server_id, task_state=TaskState.REBOOTING_HARD)
            self.acts.begin(server_id, "reboot", partial(self._reboot, server_id, self.machines.hard_reboot))

    def stop(self, server_id: str) -> None:
        """Begin to power a server off.

        :raises Conflict: the server's state does not allow it.
        """
        self.find(server_id).check_stop()
        self.change(server_id, task_state=TaskState.POWERING_OFF)
        self.acts.begin(server_id, "stop", partial(self._stop, server_id))

    def start(self, server_id: str) -> None:
        """Begin to boot a server that is off.

        :raises Conflict: the server's state does not allow it.
        """
        self.find(server_id).check_start()
        self.change(server_id, task_state=TaskState.POWERING_ON)
        self.acts.begin(server_id, "start", partial(self._reboot, server_id, self.machines.power_on))

    def copy(self, server_id: str, act: Act) -> asyncio.Task[None]:
        """Begin to make an image of a server, which leaves it as it is; the act is the copying of its disk.

        :raises Conflict: the server's state does not allow it.
        """
        self.find(server_id).check_snapshot()
        self.change(server_id, task_state=TaskState.IMAGE_SNAPSHOT)
        return self.acts.begin(server_id, "createImage", partial(self._copy, server_id, act))

    def delete(self, server_id: str) -> None:
        """Begin to delete a server; once more does no harm."""
        if self.find(server_id).task_state is not TaskState.DELETING:
            self.change(server_id, task_state=TaskState.DELETING)
            self.acts.begin(server_id, "delete", partial(self._delete, server_id))

    def console(self, server_id: str, lines: int | None) -> str:
        """Give the last lines of a server's console log, all when `lines` is None.

        :raises Conflict: it has not begun to boot.
        :raises NotFound: it never had a console.
        """
        server = self.find(server_id)
        output = self.machines.console(server_id, lines)
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
            self.change(server_id, vm_state=VmState.STOPPED)

    async def close(self) -> None:
        """End what is under way; the machines are the hypervisor's to end."""
        await self.acts.close()

    def _keep(self, server: Server) -> Server:
        self._servers[server.id] = server
        self._past.note(tuple(self._servers.values()))
        return server

    def _accept(self, request: ServerRequest, name: str, reservation: str) -> Server:
        now = datetime.now(UTC)
        server = Server(
            id=str(uuid.uuid4()),
            # What it is called at first is what it calls itself for good: a new name does not reach into it.
            request=replace(request, hostname=request.hostname or hostname_of(name) or None),
            name=name,
            private_ip=self._site.private_ips.take(),
            reservation_id=reservation,
            metadata=dict(request.metadata),
            created=now,
            updated=now,
        )
        self._keep(server)
        self.acts.begin(server.id, "create", partial(self._build, server))
        return server

    async def _build(self, server: Server) -> None:
        self.change(server.id, task_state=TaskState.SPAWNING)
        await self.machines.boot(machine_of(server, self._site))
        self.change(server.id, launched=datetime.now(UTC))
        self._came_up(server.id)

    async def _reboot(self, server_id: str, reboot: Callable[[str], Awaitable[None]]) -> None:
        self._dead.discard(server_id)
        await reboot(server_id)
        self._came_up(server_id)

    async def _stop(self, server_id: str) -> None:
        await self.machines.power_off(server_id)
        self.change(server_id, vm_state=VmState.STOPPED, task_state=None)

    async def _copy(self, server_id: str, act: Act) -> None:
        await act()
        self._leave(server_id)

    def _leave(self, server_id: str) -> None:
        """Note that nothing is done to a server any more that left it as it was, unless it has ended meanwhile."""
        died = server_id in self._dead and self._servers[server_id].vm_state is VmState.ACTIVE
        self.change(server_id, task_state=None, **({"vm_state": VmState.STOPPED} if died else {}))

    def _came_up(self, server_id: str) -> None:
        vm_state = VmState.STOPPED if server_id in self._dead else VmState.ACTIVE
        self.change(server_id, vm_state=vm_state, task_state=None, fault=None)

    async def _delete(self, server_id: str) -> None:
        await self.machines.delete(server_id)
        self._dead.discard(server_id)
        server = self.change(server_id, vm_state=VmState.DELETED, task_state=None, deleted=datetime.now(UTC))
        self._site.private_ips.give_back(server.private_ip)

    def _fail(self, server_id: str, error: Exception) -> None:
        if isinstance(error, SnapshotFailed):
            logging.getLogger(__name__).warning("server %s: no image: %s", server_id, error)
            self._leave(server_id)
            return
        if isinstance(error, BootFailed):
            logging.getLogger(__name__).warning("server %s did not boot: %s", server_id, error)
        else:
            logging.getLogger(__name__).error("server %s failed", server_id, exc_info=error)
        fault = Fault(code=500, message=str(error) or type(error).__name__, created=datetime.now(UTC))
        self.change(server_id, vm_state=VmState.ERROR, task_state=None, fault=fault)
