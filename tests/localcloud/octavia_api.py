"""What the tests of Octavia stand on: the API called in memory, with a real Envoy behind it."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from tasks.localcloud.api.balancing.octavia import octavia_application
from tasks.localcloud.api.balancing.octavia_context import Octavia
from tasks.localcloud.balancing.octavia_service import OctaviaService
from tasks.localcloud.faults.registry import Faults
from tasks.localcloud.identity.credentials import Tokens
from tasks.localcloud.network import Network, claim_network
from tasks.localcloud.proxy.envoy import Envoy
from tasks.localcloud.subnet import Subnet
from tests.localcloud.traffic import NODE_PORT, eventually

PROJECT = "123456"

_ports = itertools.count(38_000)


class OctaviaApi:
    """Octavia v2, called in memory; paths begin below /v2/lbaas."""

    def __init__(self, service: OctaviaService, network: Network) -> None:
        self.service = service
        self.network = network
        tokens = Tokens()
        self.app = octavia_application(Octavia(service=service, project=PROJECT), tokens)
        token = {"X-Auth-Token": tokens.issue().id}
        wire = httpx.ASGITransport(self.app)
        self.root = httpx.AsyncClient(transport=wire, base_url="http://octavia", headers=token)
        self.http = httpx.AsyncClient(transport=wire, base_url="http://octavia/v2/lbaas", headers=token)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Look at something."""
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def accepted(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Ask for a change that is accepted, wait until it has been made, and give the one thing in the answer."""
        answer = await self.http.request(method, path, json=body, **options)
        assert answer.status_code in {200, 201, 202, 204}, answer.text
        await self.all_settled()
        return next(iter(answer.json().values())) if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Ask for what is refused; give code and sentence."""
        answer = await self.http.request(method, path, json=body)
        assert answer.json().keys() == {"faultcode", "faultstring", "debuginfo"}
        return answer.status_code, answer.json()["faultstring"]

    async def create(self, **attributes: Any) -> dict[str, Any]:
        """Create a load balancer and wait until it is ACTIVE."""
        return dict(await self.accepted("POST", "/loadbalancers", self.balancer_body(**attributes)))

    async def create_web(self, *members: dict[str, Any], **pool: Any) -> dict[str, Any]:
        """Create a load balancer with an HTTP listener and a pool, in one call; give all of it."""
        described = pool_body(name="pool", members=list(members), **pool)
        return await self.create(listeners=[listener_body(default_pool=described)])

    def balancer_body(self, **attributes: Any) -> dict[str, Any]:
        """Describe the least load balancer that can be created."""
        return {"loadbalancer": {"vip_subnet_id": self.service.subnet.id, **attributes}}

    def member(self, **attributes: Any) -> dict[str, Any]:
        """Describe a member on an address that nobody has."""
        return {"address": self.network.private_ips.take(), "protocol_port": NODE_PORT, **attributes}

    async def settled(self, balancer_id: str) -> str:
        """Wait until a load balancer is not pending; give its provisioning status."""
        status = ""

        async def settled() -> bool:
            nonlocal status
            status = (await self.get(f"/loadbalancers/{balancer_id}"))["loadbalancer"]["provisioning_status"]
            return not status.startswith("PENDING")

        await eventually(settled)
        return status

    async def all_settled(self) -> None:
        """Wait until no load balancer is pending."""

        async def settled() -> bool:
            shown = (await self.get("/loadbalancers"))["loadbalancers"]
            return not any(each["provisioning_status"].startswith("PENDING") for each in shown)

        await eventually(settled)

    async def clear(self) -> None:
        """Delete everything."""
        await self.all_settled()
        for balancer in (await self.get("/loadbalancers"))["loadbalancers"]:
            await self.http.delete(f"/loadbalancers/{balancer['id']}", params={"cascade": "true"})
        await self.all_settled()


def listener_body(**attributes: Any) -> dict[str, Any]:
    """Describe an HTTP listener on a port that nobody has."""
    return {"protocol": "HTTP", "protocol_port": next(_ports), **attributes}


def pool_body(**attributes: Any) -> dict[str, Any]:
    """Describe an HTTP pool."""
    return {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", **attributes}


def site(balancer: dict[str, Any], path: str = "/") -> str:
    """Give the URL of a load balancer's first listener, as a create has answered it."""
    return f"http://{balancer['vip_address']}:{balancer['listeners'][0]['protocol_port']}{path}"


@contextlib.asynccontextmanager
async def octavia(
    directory: Path, *, pending_seconds: float = 0.0, faults: Faults | None = None
) -> AsyncIterator[OctaviaApi]:
    """Run the service."""
    network = claim_network()
    envoy = Envoy(directory)
    await envoy.start()
    subnet = Subnet(gateway=network.api_address)
    virtual_ips = network.virtual_ips
    service = OctaviaService(envoy, virtual_ips, subnet=subnet, pending_seconds=pending_seconds, faults=faults)
    running = OctaviaApi(service, network)
    try:
        yield running
    finally:
        await running.http.aclose()
        await running.root.aclose()
        await service.close()
        await envoy.close()
        network.close()
