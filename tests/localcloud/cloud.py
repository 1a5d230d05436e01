"""A cloud in memory: the real application and model, on machines that boot when a test says so."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tasks.localcloud.api.application import Services, application
from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.compute.images import Images, image_of_this_machine
from tasks.localcloud.compute.keypairs import Keypairs
from tasks.localcloud.compute.machines import Site
from tasks.localcloud.compute.quotas import Quota
from tasks.localcloud.compute.servers import Servers
from tasks.localcloud.faults.bad_days import BadDays
from tasks.localcloud.faults.unreliable_machines import UnreliableMachines
from tasks.localcloud.identity.credentials import Tokens, new_credentials
from tasks.localcloud.machines.snapshots import SnapshotFailed
from tasks.localcloud.machines.spec import BootFailed, MachineSpec
from tasks.localcloud.network import AddressPool

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEi0JQkwqNAZ2yVgKl8yYJXBGcQqBjpqEpXoqJ7bT0qA someone@laptop"


class InstantMachines:
    """A hypervisor whose machines are up at once, unless `power` is off, or `broken` gives a reason not to boot."""

    def __init__(self) -> None:
        self.booted: dict[str, MachineSpec] = {}
        self.deleted: list[str] = []
        self.snapshots: set[str] = set()
        self.copying = asyncio.Event()
        self.unreadable = ""
        self.power = asyncio.Event()
        self.power.set()
        self.begun = asyncio.Event()
        self.broken = ""
        self.on_boot: Callable[[str], None] = lambda _: None

    async def boot(self, spec: MachineSpec) -> None:
        """Be up as soon as there is power."""
        self.begun.set()
        await self.power.wait()
        if self.broken:
            raise BootFailed(self.broken)
        self.booted[spec.id] = spec
        self.on_boot(spec.id)

    async def reboot(self, machine_id: str) -> None:
        """Be up again as soon as there is power."""
        await self.power.wait()

    async def hard_reboot(self, machine_id: str) -> None:
        """Be up again as soon as there is power."""
        await self.power.wait()

    async def power_off(self, machine_id: str) -> None:
        """Be off as soon as there is power to end what runs."""
        await self.power.wait()

    async def power_on(self, machine_id: str) -> None:
        """Be up again as soon as there is power."""
        await self.power.wait()

    async def snapshot(self, machine_id: str, name: str) -> None:
        """Have a snapshot as soon as there is power, unless the disk is `unreadable`."""
        self.copying.set()
        await self.power.wait()
        if self.unreadable:
            raise SnapshotFailed(self.unreadable)
        self.snapshots.add(name)

    async def remove_snapshot(self, name: str) -> None:
        """Have it no more."""
        self.snapshots.discard(name)

    async def delete(self, machine_id: str) -> None:
        """Be gone as soon as there is power."""
        await self.power.wait()
        self.booted.pop(machine_id, None)
        self.deleted.append(machine_id)

    def console(self, machine_id: str, lines: int | None = None) -> str:
        """Give three lines once the machine is up."""
        if machine_id not in self.booted:
            return ""
        log = ["booting", "ready", "login:"]
        return "\n".join(log if lines is None else log[len(log) - lines :])


@dataclass(kw_only=True)
class Cloud:
    """Everything a test may look at. `http` carries a token."""

    http: httpx.AsyncClient
    anonymous: httpx.AsyncClient
    compute: Compute
    tokens: Tokens
    machines: InstantMachines
    services: Services
    log: io.StringIO = field(default_factory=io.StringIO)

    @property
    def bad_days(self) -> BadDays:
        """Give its faults and hold points."""
        return self.services.bad_days

    @property
    def servers(self) -> Servers:
        """Give the model's servers."""
        return self.compute.servers

    @property
    def image(self) -> str:
        """Give the id of the one image."""
        return self.compute.images.all()[-1].id

    def body(self, name: str = "web", **more: Any) -> dict[str, Any]:
        """Give the smallest body that makes a server, and what a test adds to it."""
        return {"server": {"name": name, "imageRef": self.image, "flavorRef": "general1-1", **more}}

    async def create(self, name: str = "web", **more: Any) -> str:
        """Ask for a server; gives its id."""
        answer = await self.http.post("/compute/v2.1/servers", json=self.body(name, **more))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["server"]["id"])

    async def show(self, server_id: str, **headers: str) -> dict[str, Any]:
        """Show a server."""
        answer = await self.http.get(f"/compute/v2.1/servers/{server_id}", headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["server"])

    async def settle(self) -> None:
        """Wait until nothing is being done to any server."""
        while acts := self.servers.acts.under_way():
            await asyncio.wait(acts, timeout=10)


@asynccontextmanager
async def in_memory(quota: Quota | None = None, page_limit: int = 1000) -> AsyncIterator[Cloud]:
    """Run a cloud in memory."""
    machines = InstantMachines()
    pool = AddressPool(f"127.9.2.{host}" for host in range(1, 200))
    site = Site(private_ips=pool, ssh_port=2222, shared=Path("/nowhere"))
    credentials = new_credentials()
    bad_days = BadDays()
    servers = Servers(
        UnreliableMachines(machines, bad_days.faults, lambda found: servers.find(found).name), site, quota
    )
    compute = Compute(
        servers=servers,
        faults=bad_days.faults,
        images=Images(image_of_this_machine()),
        keypairs=Keypairs(),
        credentials=credentials,
        page_limit=page_limit,
    )
    tokens, log = Tokens(), io.StringIO()
    services = Services(region="ORD", tokens=tokens, compute=compute, bad_days=bad_days)
    wire = httpx.ASGITransport(application(services, log))
    token = {"X-Auth-Token": tokens.issue().id}
    async with (
        httpx.AsyncClient(transport=wire, base_url="http://127.9.0.1:5000", headers=token) as http,
        httpx.AsyncClient(transport=wire, base_url="http://127.9.0.1:5000") as anonymous,
    ):
        whole = {"compute": compute, "tokens": tokens, "machines": machines, "services": services, "log": log}
        yield Cloud(http=http, anonymous=anonymous, **whole)
        machines.power.set()
        await compute.servers.close()
