"""What the load balancer tests stand on: app servers on loopback, a running Envoy, and the API called in memory."""

import asyncio
import contextlib
import dataclasses
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from tasks.localcloud.api.clb import routes
from tasks.localcloud.balancers import BalancerService
from tasks.localcloud.envoy import Envoy
from tasks.localcloud.frontends import Algorithm, Backend, Endpoint, Frontend, Traffic
from tasks.localcloud.network import Network, claim_network

DEADLINE = 10.0  # seconds; nothing here takes one when it works
NODE_PORT = 8000
ACCOUNT = 123456

_ports = itertools.count(18_000)


class Site:
    """An app server that answers with its own address.

    `/hold` is answered when the test says `release`. `status` can be made bad. Idle connections are closed after
    `keep_alive` seconds, as gunicorn does.
    """

    def __init__(self, address: str, *, keep_alive: float = DEADLINE) -> None:
        self.endpoint = Endpoint(address=address, port=NODE_PORT)
        self.status = 200
        self.requests: list[str] = []
        self.held = asyncio.Event()
        self.release = asyncio.Event()
        self.connections = 0
        self._keep_alive = keep_alive

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection until one side closes it."""
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            while True:
                await self._answer(reader, writer)
        self.connections -= 1
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), self._keep_alive)).decode()
        await reader.readexactly(content_length(head))
        self.requests.append(head)
        if " /hold " in head:
            self.held.set()
            await self.release.wait()
        body = self.endpoint.address.encode()
        writer.write(b"HTTP/1.1 %d Answer\r\nContent-Length: %d\r\n\r\n" % (self.status, len(body)) + body)
        await writer.drain()


def content_length(head: str) -> int:
    """Read a request head's Content-Length."""
    lines = (line.partition(": ") for line in head.lower().splitlines())
    return next((int(value) for name, _, value in lines if name == "content-length"), 0)


class Stage:
    """A running Envoy and as many app servers as a test wants, on a network of its own."""

    def __init__(self, envoy: Envoy, network: Network) -> None:
        self.envoy = envoy
        self.network = network
        self.client = httpx.AsyncClient(timeout=DEADLINE)

    @contextlib.asynccontextmanager
    async def sites(self, count: int, **options: Any) -> AsyncIterator[list[Site]]:
        """Run app servers, each on an address of its own."""
        async with contextlib.AsyncExitStack() as running:
            sites = []
            for _ in range(count):
                site = Site(self.network.private_ips.take(), **options)
                server = await asyncio.start_server(site.serve, site.endpoint.address, NODE_PORT)
                running.callback(server.close)
                running.callback(site.release.set)
                sites.append(site)
            yield sites

    def frontend(self, *backends: Backend, **changes: Any) -> Frontend:
        """Describe a frontend that nobody has yet."""
        port = next(_ports)
        plain = Frontend(
            name=f"test-{port}",
            listens=Endpoint(address=self.network.virtual_ips.take(), port=port),
            traffic=Traffic.HTTP,
            algorithm=Algorithm.ROUND_ROBIN,
            idle_seconds=30,
            backends=backends,
        )
        return dataclasses.replace(plain, **changes)

    async def get(self, frontend: Frontend, path: str = "/", **options: Any) -> httpx.Response:
        """Ask through a frontend."""
        return await self.client.get(f"http://{frontend.listens}{path}", **options)

    async def who_answers(self, frontend: Frontend, *, requests: int) -> Counter[str]:
        """Count answers by who gave them, and refusals by their status."""
        answers = [await self.get(frontend) for _ in range(requests)]
        return Counter(answer.text if answer.is_success else str(answer.status_code) for answer in answers)


@contextlib.asynccontextmanager
async def stage(directory: Path) -> AsyncIterator[Stage]:
    """Run an Envoy without any frontend."""
    network = claim_network()
    envoy = Envoy(directory)
    await envoy.start()
    set_up = Stage(envoy, network)
    try:
        yield set_up
    finally:
        await set_up.client.aclose()
        await envoy.close()
        network.close()


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
async def clb(directory: Path, *, pending_seconds: float = 0.0) -> AsyncIterator[Clb]:
    """Run the service."""
    network = claim_network()
    service = BalancerService(
        directory,
        network.virtual_ips.take,
        give_back=network.virtual_ips.give_back,
        pending_seconds=pending_seconds,
    )
    await service.start()
    running = Clb(service, network)
    try:
        yield running
    finally:
        await running.http.aclose()
        await service.close()
        network.close()


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(DEADLINE):
        while not await condition():  # noqa: ASYNC110  what is waited for happens in another process
            await asyncio.sleep(0.02)
