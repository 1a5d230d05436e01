"""No request is lost whatever is changed: a real Envoy under load, real sockets."""

import asyncio
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from tasks.localcloud.proxy.frontends import Algorithm, Backend, Endpoint
from tests.localcloud.traffic import NODE_PORT, PROBE, backend, draining, stage

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


async def test_no_request_is_lost_while_backends_come_and_go(running):
    """Under keep-alive load, POSTs included, backends that close idle connections are added, drained and removed."""
    async with running.sites(4, keep_alive=0.05) as sites:
        frontend = running.frontend(*map(backend, sites[:2]))
        await running.envoy.publish(frontend)
        stop = asyncio.Event()
        clients = [asyncio.create_task(steady_load(frontend, method, stop)) for method in ("GET", "POST") * 3]

        for turn in range(12):
            first, second, third = (sites[(turn + step) % 4] for step in range(3))
            await running.envoy.publish(replace(frontend, backends=(backend(first), backend(second), backend(third))))
            await running.envoy.publish(replace(frontend, backends=(draining(first), backend(second), backend(third))))
            await running.envoy.publish(replace(frontend, backends=(backend(second), backend(third))))
        stop.set()
        statuses = sum(await asyncio.gather(*clients), Counter())

        assert set(statuses) == {200}
        assert statuses[200] > 100


async def steady_load(frontend, method: str, stop: asyncio.Event) -> Counter[int | str]:
    """Ask one request after the other, on one kept connection, and count the answers; a refusal by its text."""
    statuses: Counter[int | str] = Counter()
    async with httpx.AsyncClient(timeout=10) as client:
        while not stop.is_set():
            answer = await client.request(method, f"http://{frontend.listens}/", content=b"entry=1")
            statuses[answer.status_code if answer.is_success else answer.text] += 1
    return statuses


@pytest.mark.parametrize("change", [{"algorithm": Algorithm.LEAST_CONNECTIONS}, {"idle_seconds": 60}, {"probe": PROBE}])
async def test_no_request_is_lost_when_settings_change(running, change):
    """Another algorithm, time-out or health monitor reaches Envoy without a failed request."""
    async with running.sites(2) as sites:
        frontend = running.frontend(*map(backend, sites))
        await running.envoy.publish(frontend)
        stop = asyncio.Event()
        clients = [asyncio.create_task(steady_load(frontend, "POST", stop)) for _ in range(4)]

        await running.envoy.publish(replace(frontend, **change))
        await running.envoy.publish(frontend)
        stop.set()

        assert set(sum(await asyncio.gather(*clients), Counter())) == {200}


async def test_a_backend_that_refuses_connections_costs_no_request(running):
    """A request whose connection was refused has reached nobody and is sent to another backend, POSTs included."""
    async with running.sites(1) as (site,):
        gone = Backend(endpoint=Endpoint(address=running.network.private_ips.take(), port=NODE_PORT))
        frontend = running.frontend(backend(site), gone)
        await running.envoy.publish(frontend)

        posts = [await running.client.post(f"http://{frontend.listens}/", content=b"x" * 1000) for _ in range(10)]

        assert [post.text for post in posts] == [site.endpoint.address] * 10
