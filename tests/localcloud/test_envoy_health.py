"""What health monitors do to traffic: a real Envoy, real probes."""

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tasks.localcloud.proxy.frontends import Backend, Endpoint, Health, Probe, ProbeKind, Traffic
from tests.localcloud.traffic import NODE_PORT, PROBE, Site, backend, draining, eventually, stage

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


async def test_a_backend_taken_for_offline_gets_nothing(running):
    """However well it answers, it is shown OFFLINE and gets no requests, also after a change of the frontend."""
    async with running.sites(2) as (well, flapping):
        frontend = running.frontend(backend(well), backend(flapping))
        await running.envoy.publish(frontend)
        await running.envoy.take_for_offline(frontend.name, flapping.endpoint, 3600)
        shown = await running.envoy.health(frontend.name)
        answers = await running.who_answers(frontend, requests=10)
        await running.envoy.publish(replace(frontend, idle_seconds=frontend.idle_seconds + 1))

        assert (shown[well.endpoint], shown[flapping.endpoint]) == (Health.ONLINE, Health.OFFLINE)
        assert answers == await running.who_answers(frontend, requests=10) == {well.endpoint.address: 10}


async def test_a_backend_taken_for_offline_comes_back(running):
    """When its time is over it is shown ONLINE and gets requests."""
    async with running.sites(2) as (well, flapping):
        frontend = running.frontend(backend(well), backend(flapping))
        await running.envoy.publish(frontend)
        await running.envoy.take_for_offline(frontend.name, flapping.endpoint, 0.01)

        async def serves() -> bool:
            return (await running.who_answers(frontend, requests=10))[flapping.endpoint.address] > 0

        await eventually(serves)
        assert (await running.envoy.health(frontend.name))[flapping.endpoint] is Health.ONLINE
