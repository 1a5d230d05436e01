"""What Nova answers, and the compute port of a cloud that answers so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.cloud.compute import NovaCompute
from tasks.cloud.profiles import ServerProfile
from tasks.rollout.labels import Labels, Phase
from tasks.rollout.model import ServerRequest
from tests.cloud.wire import Reply, Wire

LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)
REQUEST = ServerRequest(name="guestbook-7-0", labels=LABELS)
PROFILE = ServerProfile(app="guestbook", environment="live", image="Debian 12", flavor="small")
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPVqLSwwTwkGOCBBYHVbsJv0DNOPgqzyLbEFpFbZ8LfA ann@laptop"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA bob@laptop"

NEXT = [{"rel": "next", "href": "http://elsewhere/"}]

Build = Callable[..., NovaCompute]


def absolute(**changes: int) -> dict[str, int]:
    """Write absolute limits."""
    used = {"totalInstancesUsed": 2, "totalCoresUsed": 4, "totalRAMUsed": 2048}
    return used | {"maxTotalInstances": 10, "maxTotalCores": -1, "maxTotalRAMSize": 10_240} | changes


def server(**changes: Any) -> dict[str, Any]:
    """Write a server as Nova shows it."""
    address = {"addr": "10.1.2.3", "version": 4, "OS-EXT-IPS:type": "fixed"}
    return {
        "id": "server-1",
        "name": REQUEST.name,
        "status": "ACTIVE",
        "created": "2026-11-23T05:00:00Z",
        "metadata": LABELS.to_metadata(),
        "addresses": {"private": [address]},
    } | changes


def pages(wire: Wire, *of_servers: list[dict[str, Any]]) -> None:
    """Answer the list of servers page by page."""
    *first, last = of_servers
    bodies = [*({"servers": page, "servers_links": NEXT} for page in first), {"servers": last}]
    wire.on("GET", "/servers/detail$", *(Reply(body=body) for body in bodies))


def created(wire: Wire) -> dict[str, Any]:
    """Give the body of the only create call that was received."""
    (request,) = wire.received("POST", "/servers$")
    return dict(request.body["server"])
