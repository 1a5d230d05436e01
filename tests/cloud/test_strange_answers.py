from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.compute import NovaCompute
from tasks.cloud.identity import Access
from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.cloud.patient import Pace
from tasks.cloud.profiles import ServerProfile
from tasks.errors import CloudError
from tasks.rollout.labels import Labels, Phase
from tasks.rollout.model import ServerRequest
from tests.cloud.octavia_wire import HTTP, PROFILE
from tests.cloud.wire import Reply, Wire

IMAGE = "11111111-1111-1111-1111-111111111111"
LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)
SERVERS = ServerProfile(app="guestbook", environment="live", image=IMAGE, flavor="2")

Ask = Callable[[Access, Pace], object]


def compute(ask: Callable[[NovaCompute], object]) -> Ask:
    """Ask the compute port."""
    return lambda access, pace: ask(NovaCompute(access, SERVERS, pace))


def clb(ask: Callable[[CloudLoadBalancers], object]) -> Ask:
    """Ask the load balancer port of Cloud Load Balancers."""
    return lambda access, pace: ask(CloudLoadBalancers(access, PROFILE, pace))


def octavia(ask: Callable[[OctaviaLoadBalancers], object]) -> Ask:
    """Ask the load balancer port of Octavia."""
    return lambda access, pace: ask(OctaviaLoadBalancers(access, PROFILE, pace))


@pytest.mark.parametrize("body", [{}, {"message": "welcome"}, [], {"server": None, "loadBalancer": 7, "listener": []}])
@pytest.mark.parametrize(
    "ask",
    [
        compute(lambda port: port.servers()),
        compute(lambda port: port.server("1")),
        compute(lambda port: port.create(ServerRequest(name="n", labels=LABELS))),
        compute(lambda port: port.limits()),
        compute(lambda port: port.room()),
        compute(lambda port: port.addresses()),
        compute(lambda port: port.spares()),
        clb(lambda port: port.find([HTTP])),
        clb(lambda port: port.show("7")),
        clb(lambda port: port.create(HTTP, None)),
        clb(lambda port: port.knowing("10.0.0.1")),
        clb(lambda port: port.node_limit()),
        clb(lambda port: port.is_ours("7")),
        clb(lambda port: port.adopt("7")),
        clb(lambda port: port.owners("7")),
        octavia(lambda port: port.find([HTTP])),
        octavia(lambda port: port.show("l")),
        octavia(lambda port: port.create(HTTP, None)),
        octavia(lambda port: port.add_nodes("l", {"10.0.0.1": "a"}, 80)),
        octavia(lambda port: port.is_ours("l")),
        octavia(lambda port: port.adopt("l")),
        octavia(lambda port: port.owners("l")),
        octavia(lambda port: port.knowing("10.0.0.1")),
        octavia(lambda port: port.node_limit()),
    ],
)
def test_json_of_something_else_is_an_error_of_ours(
    access: Access, pace: Pace, wire: Wire, ask: Ask, body: Any
) -> None:
    """An answer of success that is JSON, but not what was asked for, never ends in a bare KeyError."""
    for method in ("GET", "POST", "PUT"):
        wire.on(method, r"^/(compute|clb|octavia|network)/", Reply(body=body))

    with pytest.raises(CloudError, match="the answer cannot be understood"):
        ask(access, pace)
