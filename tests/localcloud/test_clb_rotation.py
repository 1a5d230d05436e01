"""What a deploy does to a load balancer, through the API, while the site is in use."""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.localcloud.clb_api import clb
from tests.localcloud.traffic import NODE_PORT, Site

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


async def keep_asking(url: str, method: str, stop: asyncio.Event) -> Counter[str]:
    """Ask on one kept connection until told to stop; count answers by site, failures by status."""
    answers: Counter[str] = Counter()
    async with httpx.AsyncClient(timeout=10) as client:
        while not stop.is_set():
            answer = await client.request(method, url, content=b"entry=1")
            answers[answer.text if answer.is_success else str(answer.status_code)] += 1
    return answers


def nodes(sites: list[Site]) -> list[dict]:
    """Describe sites as nodes."""
    return [{"address": site.endpoint.address, "port": NODE_PORT, "condition": "ENABLED"} for site in sites]


async def test_servers_are_replaced_without_a_failed_request(tmp_path):
    """Add, drain, remove on two balancers that share a virtual IP: every request, slow ones included, is answered."""
    async with clb(tmp_path / "clb", pending_seconds=0.05) as api:
        sites = [Site(api.network.private_ips.take(), keep_alive=0.05) for _ in range(4)]
        servers = [await asyncio.start_server(site.serve, site.endpoint.address, NODE_PORT) for site in sites]
        old, new = sites[:2], sites[2:]
        first = await api.create(nodes=nodes(old))
        second = await api.create(nodes=nodes(old), virtualIps=[{"id": first["virtualIps"][0]["id"]}])
        balancers = [first, second]
        urls = [f"http://{each['virtualIps'][0]['address']}:{each['port']}/" for each in balancers]
        stop = asyncio.Event()
        load = [asyncio.create_task(keep_asking(url, method, stop)) for url in urls for method in ("GET", "POST")]
        async with httpx.AsyncClient(timeout=10) as client:
            slow = asyncio.create_task(client.get(f"{urls[0]}hold"))
            await asyncio.wait([asyncio.create_task(site.held.wait()) for site in old], return_when="FIRST_COMPLETED")

            for balancer in balancers:
                await rotate(api, balancer["id"], new)
            for site in old:
                site.release.set()
            assert (await slow).text in {site.endpoint.address for site in old}

        stop.set()
        answers = sum(await asyncio.gather(*load), Counter())
        assert set(answers) == {site.endpoint.address for site in sites}
        for server in servers:
            server.close()


async def rotate(api, balancer_id: int, new: list[Site]) -> None:
    """Put new sites in and take the old ones out, draining them first."""
    old_ids = [node["id"] for node in await api.nodes(balancer_id)]
    await api.accepted("POST", f"/{balancer_id}/nodes", json={"nodes": nodes(new)})
    draining = [{"id": node_id, "condition": "DRAINING"} for node_id in old_ids]
    await api.accepted("PUT", f"/{balancer_id}/nodes", json={"nodes": draining})
    await api.accepted("DELETE", f"/{balancer_id}/nodes", params={"id": old_ids})
