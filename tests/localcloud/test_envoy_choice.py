"""Which backend gets a request: a real Envoy, real sockets."""

from dataclasses import replace

import httpx
import pytest

from tasks.localcloud.proxy.frontends import Algorithm, Stickiness, Traffic
from tests.localcloud.traffic import ask_once, backend, disabled, draining, request_in_flight, stage

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


async def test_weights_count_in_weighted_algorithms(running):
    """WEIGHTED_ROUND_ROBIN: "traffic proportional to weight" (CLB docs, algorithms)."""
    async with running.sites(2) as (light, heavy):
        backends = (backend(light, weight=1), backend(heavy, weight=9))
        frontend = running.frontend(*backends, algorithm=Algorithm.WEIGHTED_ROUND_ROBIN)
        await running.envoy.publish(frontend)

        answers = await running.who_answers(frontend, requests=100)

        assert answers[heavy.endpoint.address] > 3 * answers[light.endpoint.address] > 0


@pytest.mark.parametrize("algorithm", [Algorithm.RANDOM, Algorithm.ROUND_ROBIN, Algorithm.LEAST_CONNECTIONS])
async def test_weights_do_not_count_elsewhere(running, algorithm):
    """Without a weighted algorithm "a node's weight is stored and ignored" (CLB docs, update nodes)."""
    async with running.sites(2) as (light, heavy):
        frontend = running.frontend(backend(light, weight=1), backend(heavy, weight=100), algorithm=algorithm)
        await running.envoy.publish(frontend)

        answers = await running.who_answers(frontend, requests=60)

        assert answers[light.endpoint.address] >= 10


@pytest.mark.parametrize("algorithm", [Algorithm.LEAST_CONNECTIONS, Algorithm.WEIGHTED_LEAST_CONNECTIONS])
async def test_the_least_busy_backend_is_chosen(running, algorithm):
    """LEAST_CONNECTIONS: "The node with the lowest number of connections will receive requests"."""
    async with running.sites(2) as (busy, idle):
        frontend = running.frontend(algorithm=algorithm)
        async with request_in_flight(running, frontend, busy):
            await running.envoy.publish(replace(frontend, backends=(backend(busy), backend(idle))))

            answers = await running.who_answers(frontend, requests=20)

        assert answers[idle.endpoint.address] > answers[busy.endpoint.address]


async def test_spares_serve_only_when_nobody_else_can(running):
    """SECONDARY nodes "are only in the rotation ... when all the primary nodes fail" (CLB docs, nodes)."""
    async with running.sites(3) as (one, two, spare):
        spares = (backend(spare, spare=True),)
        frontend = running.frontend(backend(one), disabled(two), *spares)
        await running.envoy.publish(frontend)
        assert await running.who_answers(frontend, requests=10) == {one.endpoint.address: 10}

        await running.envoy.publish(replace(frontend, backends=(disabled(one), disabled(two), *spares)))
        assert await running.who_answers(frontend, requests=10) == {spare.endpoint.address: 10}


async def test_a_cookie_keeps_a_client_on_its_backend_even_while_that_drains(running):
    """A draining node is used if "session persistence requires that the node is used" (CLB docs, nodes)."""
    async with running.sites(3) as sites:
        frontend = running.frontend(*map(backend, sites), stickiness=Stickiness.COOKIE)
        await running.envoy.publish(frontend)
        async with httpx.AsyncClient() as browser:
            url = f"http://{frontend.listens}/"
            chosen = (await browser.get(url)).text
            assert {(await browser.get(url)).text for _ in range(10)} == {chosen}

            drained = tuple(draining(site) if site.endpoint.address == chosen else backend(site) for site in sites)
            await running.envoy.publish(replace(frontend, backends=drained))
            assert (await browser.get(url)).text == chosen
        assert chosen not in await running.who_answers(replace(frontend), requests=10)


async def test_a_source_address_keeps_a_client_on_its_backend(running):
    """SOURCE_IP "keeps track of the source IP address" (CLB docs, sessions), for HTTP and for passed-through bytes."""
    async with running.sites(3) as sites:
        for traffic in Traffic:
            frontend = running.frontend(*map(backend, sites), stickiness=Stickiness.SOURCE_IP, traffic=traffic)
            await running.envoy.publish(frontend)

            assert len({await ask_once(frontend) for _ in range(6)}) == 1
