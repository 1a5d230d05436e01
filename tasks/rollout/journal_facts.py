"""What steps have seen, as JSON values for the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.rollout.model import LoadBalancer, Server
from tasks.rollout.observation import BuildDied, Distrusted, Drained, Fact, Gone, Held, HookRan, Probed, Watched


def as_json(fact: Fact, names: Mapping[str, str]) -> dict[str, Any]:  # noqa: PLR0911  one return a kind
    """Give a fact: which kind of fact it is, and what is to be known about it.

    :param names: of servers, by id and by private IP.
    """
    match fact:
        case Server():
            return _server(fact)
        case LoadBalancer():
            return _balancer(fact, names)
        case BuildDied():
            return {"fact": "build died", "slot": fact.slot}
        case Held():
            return {"fact": "held", "servers": [server.name for server in fact.others]}
        case Watched():
            return {"fact": "watched", "count": fact.count}
        case HookRan():
            return {"fact": "hook ran", "hook": fact.hook.value}
        case Gone() | Distrusted() | Drained() | Probed():
            return {"fact": type(fact).__name__.lower(), "server": names.get(fact.server_id, fact.server_id)} | _of(
                fact
            )
        case _:  # a kind that this module has not heard of is told by its name
            return {"fact": type(fact).__name__.lower()}


def _of(fact: Gone | Distrusted | Drained | Probed) -> dict[str, Any]:
    match fact:
        case Gone():
            return {}
        case Distrusted():
            return {"error": fact.error.problem}
        case Drained():
            return {"cut": fact.cut}
        case Probed():
            return {"moment": fact.moment.value, "problem": fact.problem}


def _server(server: Server) -> dict[str, Any]:
    known = {
        "fact": "server",
        "server": server.name,
        "id": server.id,
        "status": server.status.value,
        "phase": server.phase.value,
        "private_ip": server.private_ip or "",
    }
    return known | ({"fault": server.fault} if server.fault else {})


def _balancer(balancer: LoadBalancer, names: Mapping[str, str]) -> dict[str, Any]:
    nodes = [
        {
            "server": names.get(node.address, node.address),
            "port": node.port,
            "condition": node.condition.value,
            "status": node.status.value,
        }
        for node in balancer.nodes
    ]
    return {"fact": "load balancer", "balancer": balancer.name, "status": balancer.status.value, "nodes": nodes}
