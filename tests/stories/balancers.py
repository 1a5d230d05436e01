"""Load balancers as their own API shows them, asked over plain HTTP: Cloud Load Balancers v1.0 or Octavia v2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CLB = {"service_type": "rax:load-balancer"}
OCTAVIA = {"service_type": "load-balancer"}


@dataclass(frozen=True, kw_only=True)
class Node:
    """An address that a load balancer sends requests to; the condition is in the words of CLB."""

    address: str
    port: int
    condition: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Balancer:
    """A port that visitors connect to: a load balancer of CLB, or a listener of Octavia with its pool."""

    id: str
    name: str
    port: int
    virtual_ip: str
    status: str
    nodes: tuple[Node, ...]


def listed(session: Any) -> list[Balancer]:
    """Give all load balancers of the project, by port, as the API shows them that the cloud's catalog has."""
    found = _of_clb(session) if _has_clb(session) else _of_octavia(session)
    return sorted(found, key=lambda balancer: balancer.port)


def limit_nodes(session: Any) -> None:
    """See to it that each of two load balancers may have 25 nodes: CLB's own limit, or a quota for both in Octavia."""
    if not _has_clb(session):
        quota = {"quota": {"member": 50}}
        session.put(f"/v2/lbaas/quotas/{session.get_project_id()}", json=quota, endpoint_filter=OCTAVIA)


def _has_clb(session: Any) -> bool:
    return bool(session.auth.get_access(session).service_catalog.get_endpoints(**CLB))


def _of_clb(session: Any) -> Iterator[Balancer]:
    for one in session.get("/loadbalancers", endpoint_filter=CLB).json()["loadBalancers"]:
        shown = session.get(f"/loadbalancers/{one['id']}", endpoint_filter=CLB).json()["loadBalancer"]
        yield Balancer(
            id=str(shown["id"]),
            name=shown["name"],
            port=shown["port"],
            virtual_ip=shown["virtualIps"][0]["address"],
            status=shown["status"],
            nodes=tuple(_node_of_clb(node) for node in shown.get("nodes", ())),
        )


def _node_of_clb(node: dict[str, Any]) -> Node:
    return Node(address=node["address"], port=node["port"], condition=node["condition"], status=node["status"])


def _of_octavia(session: Any) -> Iterator[Balancer]:
    shared = {one["id"]: one for one in _asked(session, "loadbalancers")}
    for listener in _asked(session, "listeners"):
        [on] = listener["loadbalancers"]
        yield Balancer(
            id=listener["id"],
            name=listener["name"],
            port=listener["protocol_port"],
            virtual_ip=shared[on["id"]]["vip_address"],
            status=shared[on["id"]]["provisioning_status"],
            nodes=tuple(map(_node_of_octavia, _asked(session, "members", f"pools/{listener['default_pool_id']}/"))),
        )


def _asked(session: Any, what: str, of: str = "") -> list[dict[str, Any]]:
    return list(session.get(f"/v2/lbaas/{of}{what}", endpoint_filter=OCTAVIA).json()[what])


def _node_of_octavia(member: dict[str, Any]) -> Node:
    enabled = "ENABLED" if member["weight"] else "DRAINING"
    return Node(
        address=member["address"],
        port=member["protocol_port"],
        condition=enabled if member["admin_state_up"] else "DISABLED",
        status=member["operating_status"],
    )
