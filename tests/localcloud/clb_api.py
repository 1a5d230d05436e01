"""What the tests of Cloud Load Balancers stand on: the API called in memory, with a real Envoy behind it."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from tasks.localcloud.api.balancing.clb import routes
from tasks.localcloud.balancing.balancers import BalancerService
from tasks.localcloud.faults.registry import Faults
from tasks.localcloud.network import Network, claim_network
from tests.localcloud.traffic import NODE_PORT, eventually

ACCOUNT = 123456

_ports = itertools.count(28_000)


class Loadbalancers(httpx.AsyncClient):
    """A client whose paths begin below /loadbalancers."""

    async def request(self, method: str, url: Any, **options: Any) -> httpx.Response:
        """Ask."""
        return await super().request(method, f"http://clb/v1.0/{ACCOUNT}/loadbalancers{url}", **options)


class Clb:
    """Cloud Load Balancers v1.0, called in memory, with a real Envoy behind it."""

    def __init__(self, service: BalancerService, network: Network) -> None:
        self.service = service
        self.network = network
        app = Starlette(routes=[Mount(f"/v1.0/{ACCOUNT}", routes=routes(service))])
        self.http = Loadbalancers(transport=httpx.ASGITransport(app))

    async def create(self, **changes: Any) -> dict[str, Any]:
        """Create a load balancer and wait until it is ACTIVE."""
        answer = await self.http.post("", json={"loadBalancer": balancer_body(**changes)})
        assert answer.status_code == 202, answer.text
        created = answer.json()["loadBalancer"]
        await self.settled(created["id"])
        return created

    async def create_with_nodes(self, count: int, **changes: Any) -> tuple[int, list[int]]:
        """Create a load balancer with nodes; return its id and theirs."""
        created = await self.create(nodes=[self.node() for _ in range(count)], **changes)
        return created["id"], [node["id"] for node in created.get("nodes", [])]

    def node(self, **changes: Any) -> dict[str, Any]:
        """Describe a node on an address that nobody has."""
        return {"address": self.network.private_ips.take(), "port": NODE_PORT, "condition": "ENABLED", **changes}

    async def details(self, balancer_id: int) -> dict[str, Any]:
        """Show a load balancer."""
        return (await self.http.get(f"/{balancer_id}")).json()["loadBalancer"]

    async def nodes(self, balancer_id: int) -> list[dict[str, Any]]:
        """List the nodes of a load balancer."""
        return (await self.http.get(f"/{balancer_id}/nodes")).json()["nodes"]

    async def settled(self, balancer_id: int) -> str:
        """Wait until a load balancer is neither building nor pending; return its status."""
        status = ""

        async def settled() -> bool:
            nonlocal status
            status = (await self.details(balancer_id))["status"]
            return status in {"ACTIVE", "ERROR", "DELETED"}

        await eventually(settled)
        return status

    async def clear(self) -> None:
        """Delete all load balancers that can be deleted, after whatever they are busy with."""
        for balancer in (await self.http.get("")).json()["loadBalancers"]:
            if await self.settled(balancer["id"]) == "ACTIVE":
                await self.accepted("DELETE", f"/{balancer['id']}")

    async def accepted(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask for a change that is accepted, and wait until it has been made."""
        answer = await self.http.request(method, path, **options)
        assert answer.status_code == 202, answer.text
        await self.settled(int(path.split("/")[1]))
        return answer


def balancer_body(**changes: Any) -> dict[str, Any]:
    """Describe the least load balancer that can be created."""
    body = {"name": "web", "protocol": "HTTP", "port": next(_ports), "virtualIps": [{"type": "PUBLIC"}], **changes}
    return {name: value for name, value in body.items() if value is not ...}


@contextlib.asynccontextmanager
async def clb(directory: Path, *, pending_seconds: float = 0.0, faults: Faults | None = None) -> AsyncIterator[Clb]:
    """Run the service."""
    network = claim_network()
    service = BalancerService(
        directory,
        network.virtual_ips,
        pending_seconds=pending_seconds,
        faults=faults,
    )
    await service.start()
    running = Clb(service, network)
    try:
        yield running
    finally:
        await running.http.aclose()
        await service.close()
        network.close()
