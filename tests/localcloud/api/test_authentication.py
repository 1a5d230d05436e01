"""No route of any service does anything for who has no token: only what versions there are, and logging in, is open."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from tasks.localcloud.api.application import application
from tasks.localcloud.api.balancing import clb
from tasks.localcloud.balancing.balancers import BalancerService
from tasks.localcloud.balancing.octavia_service import OctaviaService
from tasks.localcloud.network import AddressPool
from tasks.localcloud.proxy.envoy import Envoy
from tasks.localcloud.subnet import Subnet
from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
OPEN = {
    ("GET", "/identity/"): 300,
    ("GET", "/identity/v2.0"): 200,
    ("GET", "/identity/v2.0/"): 200,
    ("POST", "/identity/v2.0/tokens"): 400,
    ("GET", "/identity/v3"): 200,
    ("GET", "/identity/v3/"): 200,
    ("POST", "/identity/v3/auth/tokens"): 400,
    ("GET", "/compute/"): 200,
    ("GET", "/compute/v2.1"): 200,
    ("GET", "/compute/v2.1/"): 200,
    ("GET", "/image/"): 300,
    ("GET", "/image/v2"): 300,
    ("GET", "/image/v2/"): 300,
    ("GET", "/image/versions"): 200,
    ("GET", "/load-balancer/"): 200,
    ("GET", "/network/"): 200,
}
"""What is open, and its answer to a request without a token and without a body."""


def walk(routes: Sequence[BaseRoute], before: str = "") -> Iterator[tuple[str, str]]:
    """Give method and path of every route, with `x` wherever a path takes anything."""
    for route in routes:
        if isinstance(route, Mount):
            yield from walk(route.routes, before + route.path)
        else:
            assert isinstance(route, Route)
            path = re.sub(r"\{[^}]*\}", "x", before + route.path)
            yield from ((method, path) for method in sorted(route.methods or {"GET"}) if method != "HEAD")


@pytest.fixture
async def everything(cloud: Cloud, tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, list[tuple[str, str]]]]:
    """Serve all faces of a cloud; gives a client without a token, and every route."""
    addresses = AddressPool(["127.9.1.1"])
    services = replace(
        cloud.services,
        balancer_routes=clb.routes(BalancerService(tmp_path, addresses.take)),
        octavia=OctaviaService(Envoy(tmp_path), addresses, subnet=Subnet(gateway="127.9.0.1")),
    )
    app = application(services, io.StringIO())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.9.0.1:5000") as client:
        yield client, list(walk(app.routes))


@pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": "made-up", "Authorization": "Bearer made-up"}])
async def test_every_route_wants_a_token(everything, headers: dict[str, str]):
    """Whatever is asked without a token, or with one that is not ours, is answered with 401, but for what is open."""
    client, routes = everything
    answers = {route: (await client.request(*route, headers=headers)).status_code for route in routes}

    assert len(answers) > 100
    assert {route: status for route, status in answers.items() if status != OPEN.get(route, 401)} == {}
    assert OPEN.keys() <= answers.keys()


async def test_paths_that_are_no_route_tell_nothing(everything):
    """Without a token a made-up path is 401 or 404; slashes and dots lead around no check."""
    client, routes = everything
    closed = {path for method, path in routes if (method, path) not in OPEN}
    detours = [path.replace("/v", "//v", 1) for path in closed] + [f"{path}/%2e%2e/servers" for path in closed]
    answers = {path: (await client.get(path)).status_code for path in detours}

    assert {path: status for path, status in answers.items() if status not in {401, 404}} == {}
