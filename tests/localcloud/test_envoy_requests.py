"""What backends see of a request: a real Envoy, real sockets."""

import asyncio

import pytest

from tasks.localcloud.proxy.frontends import Backend, Endpoint
from tests.localcloud.traffic import NODE_PORT, backend, stage

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def running(tmp_path_factory):
    """Run one Envoy for all tests here."""
    async with stage(tmp_path_factory.mktemp("envoy")) as on_stage:
        yield on_stage


async def test_backends_learn_who_asked(running):
    """HTTP load balancers add X-Forwarded-For, -Proto and -Port (CLB docs, protocols), and nothing of their own."""
    async with running.sites(1) as (site,):
        frontend = running.frontend(backend(site))
        await running.envoy.publish(frontend)

        await running.get(frontend, headers={"X-Forwarded-For": "10.9.8.7"})

        headers = dict(line.split(": ", 1) for line in site.requests[0].splitlines()[1:] if line)
        assert headers["x-forwarded-for"].replace(" ", "") == "10.9.8.7,127.0.0.1"
        assert headers["x-forwarded-proto"] == "http"
        assert headers["x-forwarded-port"] == str(frontend.listens.port)
        assert headers["host"] == str(frontend.listens)
        assert not [name for name in headers if name.startswith("x-envoy") or name == "x-request-id"]


async def test_web_sockets_pass(running):
    """An upgraded connection passes bytes in both directions."""
    address = running.network.private_ips.take()
    server = await asyncio.start_server(upgrading, address, NODE_PORT)
    frontend = running.frontend(Backend(endpoint=Endpoint(address=address, port=NODE_PORT)))
    await running.envoy.publish(frontend)

    reader, writer = await asyncio.open_connection(frontend.listens.address, frontend.listens.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"ping")

    assert await reader.readexactly(4) == b"ping"
    writer.close()
    server.close()


async def upgrading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept an upgrade and echo."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    while data := await reader.read(1000):
        writer.write(data)
    writer.close()
