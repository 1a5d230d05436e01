"""What a load balancer does to traffic: a real Envoy, real sockets, small app servers that say who they are."""

import asyncio
import contextlib
import ssl
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tasks.localcloud.envoy import EnvoyRefused
from tasks.localcloud.frontends import (
    Algorithm,
    Backend,
    Condition,
    Endpoint,
    Expectation,
    Health,
    Probe,
    ProbeKind,
    Stickiness,
    Traffic,
)
from tests.localcloud.balancing import NODE_PORT, Site, eventually, stage

pytestmark = pytest.mark.anyio

PROBE = Probe(
    kind=ProbeKind.HTTP,
    interval=1,
    timeout=1,
    attempts=2,
    expects=Expectation(path="/healthz", statuses=frozenset({200})),
)


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def running(tmp_path_factory):
    """Run one Envoy for all tests here."""
    async with stage(tmp_path_factory.mktemp("envoy")) as on_stage:
        yield on_stage


def backend(site: Site, **changes) -> Backend:
    """Describe a site as a backend."""
    return Backend(endpoint=site.endpoint, **changes)


def draining(site: Site) -> Backend:
    """Describe a site that is to get nothing new."""
    return backend(site, condition=Condition.DRAINING)


def disabled(site: Site) -> Backend:
    """Describe a site that is to be cut off."""
    return backend(site, condition=Condition.DISABLED)


@contextlib.asynccontextmanager
async def request_in_flight(running, frontend, site):
    """Make a request that the site has and has not answered yet."""
    await running.envoy.publish(replace(frontend, backends=(backend(site),)))
    request = asyncio.create_task(running.get(frontend, "/hold"))
    await asyncio.wait_for(site.held.wait(), 5)
    yield request
    site.release.set()
    await asyncio.wait([request])


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


async def test_connections_to_a_backend_end_with_their_request(running):
    """No idle connection to a backend stays behind, so a drained backend's connections are its requests in flight."""
    async with running.sites(1) as (site,):
        frontend = running.frontend(backend(site))
        await running.envoy.publish(frontend)
        await running.who_answers(frontend, requests=5)

        async def unconnected() -> bool:
            return site.connections == 0

        await eventually(unconnected)


async def test_a_backend_that_refuses_connections_costs_no_request(running):
    """A request whose connection was refused has reached nobody and is sent to another backend, POSTs included."""
    async with running.sites(1) as (site,):
        gone = Backend(endpoint=Endpoint(address=running.network.private_ips.take(), port=NODE_PORT))
        frontend = running.frontend(backend(site), gone)
        await running.envoy.publish(frontend)

        posts = [await running.client.post(f"http://{frontend.listens}/", content=b"x" * 1000) for _ in range(10)]

        assert [post.text for post in posts] == [site.endpoint.address] * 10


async def test_without_a_usable_backend_the_answer_is_503_at_once(running):
    """A load balancer whose nodes are all disabled or draining serves nothing: no fall-back on bad nodes."""
    async with running.sites(2) as (one, two):
        frontend = running.frontend(draining(one), disabled(two))
        await running.envoy.publish(frontend)

        assert await running.who_answers(frontend, requests=3) == {"503": 3}


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


async def steady_load(frontend, method: str, stop: asyncio.Event) -> Counter[int]:
    """Ask one request after the other, on one kept connection, and count the answers."""
    statuses: Counter[int] = Counter()
    async with httpx.AsyncClient(timeout=10) as client:
        while not stop.is_set():
            answer = await client.request(method, f"http://{frontend.listens}/", content=b"entry=1")
            statuses[answer.status_code] += 1
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


async def test_a_backend_that_fails_its_probes_gets_nothing(running):
    """OFFLINE nodes get no traffic, and come back by themselves: "Only nodes with a status of ONLINE" (CLB docs)."""
    async with running.sites(2) as (well, ill):
        frontend = running.frontend(backend(well), backend(ill), probe=PROBE)
        await running.envoy.publish(frontend)

        async def becomes(health: Health) -> None:
            async def seen() -> bool:
                return (await running.envoy.health(frontend.name))[ill.endpoint] is health

            await eventually(seen)

        ill.status = 500
        await becomes(Health.OFFLINE)
        assert await running.who_answers(frontend, requests=10) == {well.endpoint.address: 10}
        ill.status = 200
        await becomes(Health.ONLINE)
        assert (await running.who_answers(frontend, requests=10))[ill.endpoint.address] > 0


async def test_a_new_backend_that_fails_its_first_probe_never_serves(running):
    """A health check "is performed against every node that is added ... before allowing it to service traffic"."""
    async with running.sites(2) as (well, ill):
        ill.status = 500
        frontend = running.frontend(backend(well), probe=PROBE)
        await running.envoy.publish(frontend)
        await running.envoy.publish(replace(frontend, backends=(backend(well), backend(ill))))

        assert await running.who_answers(frontend, requests=20) == {well.endpoint.address: 20}


async def test_draining_backends_are_still_probed(running):
    """DRAINING "will prevent traffic ..., but still allow the health monitor to perform checks" (CLB docs)."""
    async with running.sites(1) as (site,):
        await running.envoy.publish(running.frontend(draining(site), probe=PROBE))

        async def probed() -> bool:
            return any("/healthz" in request for request in site.requests)

        await eventually(probed)


async def test_a_connect_probe_wants_a_listener_only(running):
    """A CONNECT monitor takes a node out that refuses connections, and cares for nothing else."""
    async with running.sites(1) as (ill,):
        ill.status = 500
        gone = Endpoint(address=running.network.private_ips.take(), port=NODE_PORT)
        probe = Probe(kind=ProbeKind.CONNECT, interval=1, timeout=1, attempts=1)
        frontend = running.frontend(backend(ill), Backend(endpoint=gone), probe=probe)
        await running.envoy.publish(frontend)

        async def as_expected() -> bool:
            health = await running.envoy.health(frontend.name)
            return health == {ill.endpoint: Health.ONLINE, gone: Health.OFFLINE}

        await eventually(as_expected)


async def test_a_probe_may_want_words_in_the_body(running):
    """An HTTP monitor's bodyRegex, as far as it is plain text, decides too (CLB docs, monitors)."""
    async with running.sites(2) as (one, two):
        wants_one = replace(PROBE, expects=replace(PROBE.expects, body_parts=(one.endpoint.address,)))
        frontend = running.frontend(backend(one), backend(two), probe=wants_one)
        await running.envoy.publish(frontend)

        async def as_expected() -> bool:
            health = await running.envoy.health(frontend.name)
            return health == {one.endpoint: Health.ONLINE, two.endpoint: Health.OFFLINE}

        await eventually(as_expected)


async def test_an_https_probe_talks_tls_to_the_backend(running, tmp_path):
    """An HTTPS monitor asks through TLS, whatever the certificate; clients' bytes are passed through as they are."""
    secure, plain = (Endpoint(address=running.network.private_ips.take(), port=NODE_PORT) for _ in range(2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "site.pem"))
    site = Site(secure.address)
    servers = [
        await asyncio.start_server(site.serve, secure.address, NODE_PORT, ssl=context),
        await asyncio.start_server(Site(plain.address).serve, plain.address, NODE_PORT),
    ]
    backends = (Backend(endpoint=secure), Backend(endpoint=plain))
    frontend = running.frontend(*backends, traffic=Traffic.TCP, probe=replace(PROBE, kind=ProbeKind.HTTPS))
    await running.envoy.publish(frontend)

    async def as_expected() -> bool:
        return await running.envoy.health(frontend.name) == {secure: Health.ONLINE, plain: Health.OFFLINE}

    await eventually(as_expected)
    async with httpx.AsyncClient(verify=False) as client:
        assert (await client.get(f"https://{frontend.listens}/")).text == secure.address
    for server in servers:
        server.close()


def self_signed(path: Path) -> Path:
    """Make a key and a certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site")])
    today = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    dated = builder.not_valid_before(today - timedelta(days=1)).not_valid_after(today + timedelta(days=1))
    pem = serialization.Encoding.PEM
    pkcs8, unencrypted = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(pem, pkcs8, unencrypted) + dated.sign(key, hashes.SHA256()).public_bytes(pem))
    return path


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

            assert len({await httpx_once(frontend) for _ in range(6)}) == 1


async def httpx_once(frontend) -> str:
    """Ask on a connection of its own."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://{frontend.listens}/")).text


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
            await httpx_once(frontend)
        await running.envoy.publish(replace(frontend, backends=(disabled(site),)))
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_a_withdrawn_frontend_is_gone(running):
    """Nothing listens any more, and connections that clients kept are cut."""
    async with running.sites(1) as (site,):
        frontend = running.frontend(backend(site))
        async with request_in_flight(running, frontend, site) as request:
            await running.envoy.withdraw(frontend.name)

            with pytest.raises(httpx.RemoteProtocolError):
                await request
            with pytest.raises(httpx.ConnectError):
                await httpx_once(frontend)


async def test_a_refused_frontend_leaves_the_others_alone(running):
    """A port that is taken is refused with Envoy's reason; what was published before is served on, and can change."""
    async with running.sites(2) as (one, two):
        frontend = running.frontend(backend(one))
        await running.envoy.publish(frontend)

        with pytest.raises(EnvoyRefused, match="Address already in use"):
            await running.envoy.publish(running.frontend(listens=one.endpoint))

        await running.envoy.publish(replace(frontend, backends=(backend(two),)))
        assert await running.who_answers(frontend, requests=3) == {two.endpoint.address: 3}
