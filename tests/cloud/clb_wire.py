"""What Cloud Load Balancers answers: a load balancer of ours, whose parts a test changes as it needs."""

from __future__ import annotations

from typing import Any

from tasks.cloud.profiles import BalancerProfile
from tasks.rollout.model import Listener
from tests.cloud.wire import Reply, Wire

LISTENER = Listener(name="guestbook-live-http", port=80, protocol="HTTP", node_port=8000)
PROFILE = BalancerProfile(app="guestbook", environment="live")
PENDING = Reply(
    status=422,
    body={"message": "Load Balancer '7' has a status of 'PENDING_UPDATE' and is considered immutable.", "code": 422},
)
NOT_ACTIVE = Reply(status=422, body={"message": "LoadBalancer is not ACTIVE", "code": 422})
ACCEPTED = Reply(status=202)
METADATA = "/loadbalancers/7/metadata$"


def listed(balancer_id: int = 7, **changes: Any) -> dict[str, Any]:
    """Write a load balancer as the list shows it."""
    ips = [
        {"id": 15, "address": "198.51.100.1", "type": "PUBLIC", "ipVersion": "IPV4"},
        {"id": 9000137, "address": "2001:db8::1", "type": "PUBLIC", "ipVersion": "IPV6"},
    ]
    return {
        "id": balancer_id,
        "name": LISTENER.name,
        "port": LISTENER.port,
        "protocol": "HTTP",
        "status": "ACTIVE",
        "virtualIps": ips,
    } | changes


def node(node_id: int, **changes: Any) -> dict[str, Any]:
    """Write a node as a load balancer that is not weighted shows it: without a weight."""
    address = f"10.0.0.{node_id}"
    return {"id": node_id, "address": address, "port": 8000, "condition": "ENABLED", "status": "ONLINE"} | changes


def shown(wire: Wire, **changes: Any) -> None:
    """Answer the details of load balancer 7."""
    wire.on("GET", "/loadbalancers/7$", Reply(body={"loadBalancer": listed(**changes)}))


def in_list(wire: Wire, *pages: list[dict[str, Any]]) -> None:
    """Answer the list of load balancers page by page."""
    wire.on("GET", "/loadbalancers$", *(Reply(body={"loadBalancers": page}) for page in pages))
