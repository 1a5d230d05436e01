"""What the tests of Envoy stand on: app servers on loopback that say who they are, and a running Envoy."""

import asyncio
import contextlib
import dataclasses
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from tasks.localcloud.network import Network, claim_network
from tasks.localcloud.proxy.envoy import Envoy
from tasks.localcloud.proxy.frontends import (
    Algorithm,
    Backend,
    Condition,
    Endpoint,
    Expectation,
    Frontend,
    Probe,
    ProbeKind,
    Traffic,
)

DEADLINE = 10.0  # seconds; nothing here takes one when it works
NODE_PORT = 8000

PROBE = Probe(
    kind=ProbeKind.HTTP,
    interval=1,
    timeout=1,
    attempts=2,
    expects=Expectation(path="/healthz", statuses=frozenset({200})),
)

_ports = itertools.count(18_000)


class Site:
    """An app server that answers with its own address.

    `/hold` is answered when the test says `release`. `status` can be made bad. Connections that have been answered are
    closed after `keep_alive` idle seconds, as gunicorn does.
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
            await self._answer(reader, writer, DEADLINE)
            while True:
                await self._answer(reader, writer, self._keep_alive)
        self.connections -= 1
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float) -> None:
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), patience)).decode()
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


def backend(site: Site, **changes: Any) -> Backend:
    """Describe a site as a backend."""
    return Backend(endpoint=site.endpoint, **changes)


def draining(site: Site) -> Backend:
    """Describe a site that is to get nothing new."""
    return backend(site, condition=Condition.DRAINING)


def disabled(site: Site) -> Backend:
    """Describe a site that is to be cut off."""
    return backend(site, condition=Condition.DISABLED)


@contextlib.asynccontextmanager
async def request_in_flight(
    running: Stage, frontend: Frontend, site: Site
) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """Make a request that the site has and has not answered yet."""
    await running.envoy.publish(dataclasses.replace(frontend, backends=(backend(site),)))
    request = asyncio.create_task(running.get(frontend, "/hold"))
    await asyncio.wait_for(site.held.wait(), 5)
    yield request
    site.release.set()
    await asyncio.wait([request])


async def ask_once(frontend: Frontend) -> str:
    """Ask on a connection of its own."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://{frontend.listens}/")).text


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(DEADLINE):
        while not await condition():  # noqa: ASYNC110  what is waited for happens in another process
            await asyncio.sleep(0.02)
