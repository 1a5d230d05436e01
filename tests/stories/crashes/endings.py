"""How every story of a crash has to end: one release serves everywhere, and nothing else of ours is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.stories.clouds import Cloud

COUNT = 2
LISTENERS = 2


def unfinished(cloud: Cloud, release: str | None = None, *, parked: int = 0) -> list[str]:
    """Say what is not as a deploy has to leave it; empty when all is."""
    servers = list(cloud.servers().values())
    kept = [server for server in servers if server.metadata.get("parked")]
    serving = [server for server in servers if server not in kept]
    return [
        *_of_servers(serving, release),
        *_of_parked(kept, parked),
        *_of_nodes(cloud, {_address(server) for server in serving}),
        *(f"{server.name} carries {item}" for server in servers for item in server.metadata if "claim" in item),
    ]


def _of_servers(serving: list[Any], release: str | None) -> Iterator[str]:
    names = [server.name for server in serving]
    if len(names) != COUNT:
        yield f"{COUNT} servers are to serve, and there are {names}"
    if len({server.metadata["generation"] for server in serving}) > 1:
        yield f"servers of several generations: {names}"
    for server in serving:
        if (server.status, server.metadata["phase"]) != ("ACTIVE", "serving"):
            yield f"{server.name} is {server.status}, {server.metadata['phase']}"
        if release and server.metadata["release"] != release:
            yield f"{server.name} has release {server.metadata['release']}, not {release}"


def _of_parked(kept: list[Any], number: int) -> Iterator[str]:
    if len(kept) != number:
        yield f"{number} servers are to be parked, and there are {[server.name for server in kept]}"
    if len({server.metadata["generation"] for server in kept}) > 1:
        yield f"parked servers of several generations: {[server.name for server in kept]}"


def _of_nodes(cloud: Cloud, addresses: set[str]) -> Iterator[str]:
    balancers = cloud.balancers()
    if len(balancers) != LISTENERS:
        yield f"{LISTENERS} load balancers are to be there, and there are {list(balancers)}"
    for name, balancer in balancers.items():
        found = {(node.address, node.condition, node.status) for node in balancer.nodes}
        if found != {(address, "ENABLED", "ONLINE") for address in addresses} or len(balancer.nodes) != len(addresses):
            yield f"{name} has the nodes {sorted(found)}, and {sorted(addresses)} are to serve"


def _address(server: Any) -> str:
    [address] = (entry["addr"] for entry in server.addresses["private"])
    return str(address)
