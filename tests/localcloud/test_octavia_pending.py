"""While a change is being made, the whole load balancer cannot be changed (Octavia api-ref, provisioning status)."""

import asyncio
import os
import signal
import socket
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from tests.localcloud.octavia_api import listener_body, octavia, pool_body, site
from tests.localcloud.traffic import NODE_PORT, Site, eventually

pytestmark = pytest.mark.anyio

FOREVER = timedelta(hours=1).total_seconds()
MONITOR = {"type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1}


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def slow(tmp_path_factory):
    """Run a service whose changes take longer than any test."""
    async with octavia(tmp_path_factory.mktemp("octavia"), pending_seconds=FOREVER) as running:
        yield running


async def pending(slow) -> dict[str, str]:
    """Ask for a whole load balancer; give the ids of its parts."""
    pools = [pool_body(name="web", members=[slow.member()], healthmonitor=MONITOR)]
    listeners = [listener_body(default_pool={"name": "web"})]
    answer = await slow.http.post("/loadbalancers", json=slow.balancer_body(pools=pools, listeners=listeners))
    made = answer.json()["loadbalancer"]
    pool = made["pools"][0]
    return {
        "balancer": made["id"],
        "listener": made["listeners"][0]["id"],
        "pool": pool["id"],
        "member": pool["members"][0]["id"],
        "monitor": pool["healthmonitor"]["id"],
    }


CHANGES = [
    ("PUT", "/loadbalancers/{balancer}", {"loadbalancer": {"name": "x"}}, "state"),
    ("DELETE", "/loadbalancers/{balancer}?cascade=true", None, "state"),
    (
        "POST",
        "/listeners",
        {"listener": {"protocol": "TCP", "protocol_port": 1, "loadbalancer_id": "{balancer}"}},
        "lb",
    ),
    ("PUT", "/listeners/{listener}", {"listener": {"name": "x"}}, "lb"),
    ("DELETE", "/listeners/{listener}", None, "lb"),
    ("POST", "/pools", {"pool": {**pool_body(), "loadbalancer_id": "{balancer}"}}, "lb"),
    ("PUT", "/pools/{pool}", {"pool": {"name": "x"}}, "pool"),
    ("DELETE", "/pools/{pool}", None, "lb"),
    ("POST", "/pools/{pool}/members", {"member": {"address": "127.9.9.9", "protocol_port": 80}}, "pool"),
    ("PUT", "/pools/{pool}/members", {"members": []}, "pool"),
    ("PUT", "/pools/{pool}/members/{member}", {"member": {"weight": 0}}, "pool"),
    ("DELETE", "/pools/{pool}/members/{member}", None, "pool"),
    ("PUT", "/healthmonitors/{monitor}", {"healthmonitor": {"delay": 2}}, "pool"),
    ("DELETE", "/healthmonitors/{monitor}", None, "pool"),
]


@pytest.mark.parametrize(("method", "path", "body", "blamed"), CHANGES)
async def test_every_change_has_to_wait(slow, method, path, body, blamed):
    """Every change of anything in a pending load balancer is 409, and names what is immutable."""
    ids = await pending(slow)
    filled = filled_in(body, ids)
    sentences = {
        "state": f"Invalid state PENDING_CREATE of loadbalancer resource {ids['balancer']}",
        "lb": f"Load Balancer {ids['balancer']} is immutable and cannot be updated.",
        "pool": f"Pool {ids['pool']} is immutable and cannot be updated.",
    }
    assert await slow.refused(method, path.format(**ids), filled) == (409, sentences[blamed])


def filled_in(body, ids):
    """Put ids where a body has their names."""
    if isinstance(body, dict):
        return {name: filled_in(value, ids) for name, value in body.items()}
    return body.format(**ids) if isinstance(body, str) else body


async def test_looking_never_has_to_wait(slow):
    """GETs are always answered, with the change already in them."""
    ids = await pending(slow)
    paths = ("/loadbalancers/{balancer}", "/listeners/{listener}", "/pools/{pool}", "/healthmonitors/{monitor}")
    shown = [next(iter((await slow.get(path.format(**ids))).values())) for path in paths]

    assert {each["provisioning_status"] for each in shown} == {"PENDING_CREATE"}
    assert (await slow.get("/loadbalancers/{balancer}/status".format(**ids)))["statuses"]


async def test_trap_33_a_pool_locks_the_whole_load_balancer(tmp_path):
    """Of two changes at once, of two pools of one load balancer, the second is 409: they share one lock."""
    async with octavia(tmp_path / "octavia", pending_seconds=0.05) as api:
        pools = [pool_body(name=name, members=[api.member()]) for name in ("a", "b")]
        listeners = [listener_body(default_pool={"name": name}) for name in ("a", "b")]
        made = await api.create(pools=pools, listeners=listeners)
        paths = [f"/pools/{pool['id']}/members/{pool['members'][0]['id']}" for pool in made["pools"]]
        changes = [await api.http.put(path, json={"member": {"weight": 0}}) for path in paths]

        assert [answer.status_code for answer in changes] == [200, 409]
        immutable = f"Load Balancer {made['id']} is immutable and cannot be updated."
        assert changes[1].json()["faultstring"] == immutable
        shown = [(await api.get(f"/listeners/{each['id']}"))["listener"] for each in made["listeners"]]
        assert [each["provisioning_status"] for each in shown] == ["PENDING_UPDATE", "ACTIVE"]
        assert await api.settled(made["id"]) == "ACTIVE"


async def test_a_dead_proxy_shows(tmp_path):
    """When Envoy has died, watched members are in ERROR, stats are 500 with the reason, and a change ends in ERROR."""
    async with octavia(tmp_path / "octavia") as api:
        made = await api.create_web(api.member(), healthmonitor=MONITOR)
        balancer, pool = f"/loadbalancers/{made['id']}", made["pools"][0]["id"]
        os.kill(api.service.envoy.pid, signal.SIGKILL)

        async def silent() -> bool:
            return (await api.http.get(f"{balancer}/stats")).status_code == 500

        await eventually(silent)
        fault = (await api.http.get(f"{balancer}/stats")).json()
        assert fault["faultcode"] == "Server"
        assert fault["faultstring"].startswith("Provider 'amphora' reports error: Envoy in ")
        assert (await api.get(f"/pools/{pool}"))["pool"]["operating_status"] == "ERROR"

        await api.accepted("POST", f"/pools/{pool}/members", {"member": api.member()})
        assert (await api.get(balancer))["loadbalancer"]["provisioning_status"] == "ERROR"


async def test_trap_33_an_error_stays(tmp_path):
    """In ERROR nothing can be changed any more, not even by waiting: every change is 409; only DELETE is accepted."""
    async with octavia(tmp_path / "octavia") as api:
        made = await api.create_web()
        other = await api.create()
        busy = socket.create_server((other["vip_address"], 8080))
        await api.accepted(
            "POST", "/listeners", {"listener": listener_body(protocol_port=8080, loadbalancer_id=other["id"])}
        )
        path = f"/loadbalancers/{other['id']}"
        assert (await api.get(path))["loadbalancer"]["provisioning_status"] == "ERROR"

        assert (await api.refused("PUT", path, {"loadbalancer": {"name": "x"}}))[0] == 409
        pool = {"pool": pool_body(loadbalancer_id=other["id"])}
        assert (await api.refused("POST", "/pools", pool))[0] == 409
        await api.accepted("DELETE", path, params={"cascade": "true"})
        assert [each["id"] for each in (await api.get("/loadbalancers"))["loadbalancers"]] == [made["id"]]
        busy.close()


async def keep_asking(url: str, stop: asyncio.Event) -> Counter[str]:
    """Ask on one kept connection until told to stop; count answers by site, failures by status."""
    answers: Counter[str] = Counter()
    async with httpx.AsyncClient(timeout=10) as client:
        while not stop.is_set():
            answer = await client.post(url, content=b"entry=1")
            answers[answer.text if answer.is_success else str(answer.status_code)] += 1
    return answers


async def test_servers_are_replaced_without_a_failed_request(tmp_path):
    """Add, drain by weight 0, remove, in batches, under load on two listeners: every request is answered."""
    async with octavia(tmp_path / "octavia", pending_seconds=0.05) as api:
        sites = [Site(api.network.private_ips.take(), keep_alive=0.05) for _ in range(4)]
        servers = [await asyncio.start_server(each.serve, each.endpoint.address, NODE_PORT) for each in sites]
        described = [{"address": each.endpoint.address, "protocol_port": NODE_PORT} for each in sites]
        old, new = described[:2], described[2:]
        made = await api.create(
            pools=[pool_body(name="web", members=old, healthmonitor=MONITOR)],
            listeners=[listener_body(default_pool={"name": "web"}) for _ in range(2)],
        )
        urls = [f"http://{made['vip_address']}:{each['protocol_port']}/" for each in made["listeners"]]
        stop = asyncio.Event()
        load = [asyncio.create_task(keep_asking(url, stop)) for url in urls]
        async with httpx.AsyncClient(timeout=10) as client:
            slow_one = asyncio.create_task(client.get(site(made, "/hold")))
            await asyncio.wait(
                [asyncio.create_task(each.held.wait()) for each in sites[:2]], return_when="FIRST_COMPLETED"
            )

            path = f"/pools/{made['pools'][0]['id']}/members"
            additive = {"params": {"additive_only": "true"}}
            await api.accepted("PUT", path, {"members": new}, **additive)
            await api.accepted("PUT", path, {"members": [{**each, "weight": 0} for each in old]}, **additive)
            for each in sites[:2]:
                each.release.set()
            assert (await slow_one).text in {each["address"] for each in old}
            await api.accepted("PUT", path, {"members": new})

        stop.set()
        answers = sum(await asyncio.gather(*load), Counter())
        assert set(answers) == {each.endpoint.address for each in sites}
        for server in servers:
            server.close()
