"""The state of a site, for programs. Keys stay; new ones may come."""

from __future__ import annotations

import json
import sys
from typing import Any

from tasks.report.status import State, by_port, ordered
from tasks.report.times import iso
from tasks.rollout.claims import Claim
from tasks.rollout.model import LoadBalancer, Server
from tasks.rollout.observation import Observation
from tasks.rollout.outlook import Interrupted
from tasks.rollout.returning import parked_before


def as_json(state: State) -> dict[str, Any]:
    """Give the state as JSON values. `release` and `generation` are those that serve, null when nothing does.

    `since` is when the first server of that generation was made.
    """
    serving = {server.id for server in state.serving}
    interrupted = state.outlook.interrupted if state.outlook else None
    newest = max(state.serving, key=lambda server: server.labels.generation, default=None)
    return {
        "app": state.app,
        "environment": state.environment,
        "cloud": state.cloud,
        "release": newest.labels.release if newest else None,
        "generation": newest.labels.generation if newest else None,
        "since": iso(state.since) if state.since else None,
        "at_work": [claim_json(claim) for claim in (state.outlook.at_work if state.outlook else ())],
        "interrupted": _interrupted_json(interrupted) if interrupted else None,
        "rollback": _rollback_json(parked_before(state.seen)),
        "servers": [_server_json(server, serving) for server in ordered(state.seen)],
        "load_balancers": [_balancer_json(balancer, state.seen) for balancer in by_port(state.seen)],
        "foreign_nodes": _foreign(state.seen),
    }


def print_json(state: State) -> None:
    """Print the state for programs."""
    sys.stdout.write(json.dumps(as_json(state), indent=2) + "\n")


def generation_json(state: State, generation: str) -> dict[str, Any]:
    """Give a generation as JSON values, its servers in the shape that they have in the state."""
    serving = {server.id for server in state.serving}
    servers = state.seen.generation(generation)
    return {
        "app": state.app,
        "environment": state.environment,
        "cloud": state.cloud,
        "release": servers[0].labels.release if servers else None,
        "generation": generation,
        "servers": [_server_json(server, serving) for server in servers],
    }


def print_generation(state: State, generation: str) -> None:
    """Print a generation for programs."""
    sys.stdout.write(json.dumps(generation_json(state, generation), indent=2) + "\n")


def _server_json(server: Server, serving: set[str]) -> dict[str, Any]:
    return {
        "id": server.id,
        "name": server.name,
        "private_ip": server.private_ip,
        "status": server.status.value,
        "phase": server.phase.value,
        "release": server.labels.release,
        "generation": server.labels.generation,
        "created": iso(server.created),
        "in_rotation": server.id in serving,
        "sealed": server.labels.sealed,
        "parked": server.labels.parked or None,
        "kept": server.labels.kept or None,
    }


def _balancer_json(balancer: LoadBalancer, seen: Observation) -> dict[str, Any]:
    owners = {server.private_ip: server.id for server in seen.servers}
    nodes = [
        {
            "address": node.address,
            "port": node.port,
            "condition": node.condition.value,
            "status": node.status.value,
            "weight": node.weight,
            "server_id": owners.get(node.address),
        }
        for node in balancer.nodes
    ]
    return {
        "id": balancer.id,
        "name": balancer.name,
        "virtual_ips": [virtual_ip.address for virtual_ip in balancer.virtual_ips],
        "port": balancer.port,
        "protocol": balancer.protocol,
        "status": balancer.status.value,
        "nodes": nodes,
    }


def _foreign(seen: Observation) -> list[dict[str, Any]]:
    """Give the nodes at which no server of ours is; they are left alone."""
    return [
        {"load_balancer": balancer["name"], **node}
        for balancer in (_balancer_json(each, seen) for each in by_port(seen))
        for node in balancer["nodes"]
        if node["server_id"] is None
    ]


def claim_json(claim: Claim) -> dict[str, Any]:
    """Give an operator's claim as JSON values."""
    return {
        "verb": claim.verb,
        "owner": claim.owner,
        "generation": claim.generation or None,
        "since": iso(claim.since),
        "heartbeat": iso(claim.beat),
    }


def _interrupted_json(found: Interrupted) -> dict[str, Any]:
    servers = found.found.servers
    return {
        **claim_json(found.found.claim),
        "release": servers[0].labels.release,
        "servers": [server.id for server in servers],
        "rotation": found.rotation.value,
        "next_deploy": {"same_release": found.same.value, "other_release": found.other.value},
        "can_abort": found.can_abort,
    }


def _rollback_json(parked: tuple[Server, ...]) -> dict[str, Any] | None:
    """Give what `rollback` puts back; null where it would deploy anew, or has nothing to go back to."""
    if not parked:
        return None
    labels = parked[0].labels
    servers = [server.id for server in parked]
    return {"release": labels.release, "generation": labels.generation, "servers": servers, "until": labels.parked}
