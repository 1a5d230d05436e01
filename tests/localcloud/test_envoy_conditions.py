"""What ENABLED, DRAINING, DISABLED and removal do to requests: a real Envoy, real sockets."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from tasks.localcloud.proxy.envoy import EnvoyRefused
from tasks.localcloud.proxy.frontends import Traffic
from tests.localcloud.traffic import ask_once, backend, disabled, draining, eventually, request_in_flight, stage

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


async def test_enabled_backends_take_turns(running):
    """ENABLED: "Node is permitted to accept new connections" (CLB docs, nodes); ROUND_ROBIN gives each its turn."""
    async with running.sites(2) as (one, two):
        frontend = running.frontend(backend(one), backend(two))
        await running.envoy.publish(frontend)

        assert set(await running.who_answers(frontend, requests=10)) == {one.endpoint.address, two.endpoint.address}


async def test_a_draining_backend_finishes_what_it_has_and_gets_nothing_new(running):
    """DRAINING: "stops ... sending any additional new connections to the node, but honors established sessions"."""
    async with running.sites(2) as (old, new):
        frontend = running.frontend()
        async with request_in_flight(running, frontend, old) as request:
            await running.envoy.publish(replace(frontend, backends=(draining(old), backend(new))))

            assert await running.who_answers(frontend, requests=20) == {new.endpoint.address: 20}
            old.release.set()
            assert (await request).text == old.endpoint.address


async def test_a_removed_backend_finishes_what_it_has(running):
    """A backend that is removed, drained or not, gets nothing new, and its requests in flight are answered."""
    async with running.sites(2) as (old, new):
        frontend = running.frontend()
        async with request_in_flight(running, frontend, old) as request:
            await running.envoy.publish(replace(frontend, backends=(backend(new),)))

            assert await running.who_answers(frontend, requests=20) == {new.endpoint.address: 20}
            old.release.set()
            assert (await request).text == old.endpoint.address


async def test_a_disabled_backend_is_cut_off(running):
    """DISABLED: "Existing connections are forcibly terminated" (CLB docs, nodes), and nothing new comes."""
    async with running.sites(2) as (old, new):
        frontend = running.frontend()
        async with request_in_flight(running, frontend, old) as request:
            await running.envoy.publish(replace(frontend, backends=(disabled(old), backend(new))))

            assert (await request).status_code == 503
            assert await running.who_answers(frontend, requests=20) == {new.endpoint.address: 20}


async def test_disabling_concerns_one_frontend_only(running):
    """A backend of two frontends that one of them disables goes on serving the other, requests in flight included."""
    async with running.sites(1) as (site,):
        disabling = running.frontend(disabled(site))
        keeping = running.frontend(backend(site))
        async with request_in_flight(running, keeping, site) as request:
            await running.envoy.publish(disabling)

            site.release.set()
            assert (await request).text == site.endpoint.address


async def test_tcp_connections_outlive_draining_and_not_disabling(running):
    """Passed-through connections follow the conditions as requests do (CLB docs, nodes)."""
    async with running.sites(1) as (site,):
        frontend = running.frontend(backend(site), traffic=Traffic.TCP)
        await running.envoy.publish(frontend)
        reader, writer = await asyncio.open_connection(frontend.listens.address, frontend.listens.port)

        async def ask() -> bytes:
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            return await asyncio.wait_for(reader.read(1000), 5)

        assert site.endpoint.address.encode() in await ask()
        await running.envoy.publish(replace(frontend, backends=(draining(site),)))
        assert site.endpoint.address.encode() in await ask()
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await ask_once(frontend)
        await running.envoy.publish(replace(frontend, backends=(disabled(site),)))
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_without_a_usable_backend_the_answer_is_503_at_once(running):
    """A load balancer whose nodes are all disabled or draining serves nothing: no fall-back on bad nodes."""
    async with running.sites(2) as (one, two):
        frontend = running.frontend(draining(one), disabled(two))
        await running.envoy.publish(frontend)

        assert await running.who_answers(frontend, requests=3) == {"503": 3}


async def test_connections_to_a_backend_end_with_their_request(running):
    """No idle connection to a backend stays behind, so a drained backend's connections are its requests in flight."""
    async with running.sites(1) as (site,):
        frontend = running.frontend(backend(site))
        await running.envoy.publish(frontend)
        await running.who_answers(frontend, requests=5)

        async def unconnected() -> bool:
            return site.connections == 0

        await eventually(unconnected)


async def test_a_withdrawn_frontend_is_gone(running):
    """Nothing listens any more, and connections that clients kept are cut."""
    async with running.sites(1) as (site,):
        frontend = running.frontend(backend(site))
        async with request_in_flight(running, frontend, site) as request:
            await running.envoy.withdraw(frontend.name)

            with pytest.raises(httpx.RemoteProtocolError):
                await request
            with pytest.raises(httpx.ConnectError):
                await ask_once(frontend)


async def test_a_refused_frontend_leaves_the_others_alone(running):
    """A port that is taken is refused with Envoy's reason; what was published before is served on, and can change."""
    async with running.sites(2) as (one, two):
        frontend = running.frontend(backend(one))
        await running.envoy.publish(frontend)

        with pytest.raises(EnvoyRefused, match="Address already in use"):
            await running.envoy.publish(running.frontend(listens=one.endpoint))

        await running.envoy.publish(replace(frontend, backends=(backend(two),)))
        assert await running.who_answers(frontend, requests=3) == {two.endpoint.address: 3}
