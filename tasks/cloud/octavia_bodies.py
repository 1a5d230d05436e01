"""JSON of Octavia v2 from and to our values (api-ref, v2). Refuses to know how the API is asked.

What we call a load balancer is there a listener with its pool; all of ours are on one load balancer, and share its VIP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasks.cloud import ids
from tasks.cloud.profiles import Algorithm, BalancerProfile, HealthMonitor, Persistence, Probe
from tasks.rollout.model import BalancerStatus, Condition, Listener, LoadBalancer, Node, NodeStatus, VirtualIp

Body = Mapping[str, Any]

# Where the mark stands: tags are there from v2.5 on (api-ref, filtering by tags).
TAGS = "tags"
DESCRIPTION = "description"

STATUSES = {
    "ACTIVE": BalancerStatus.ACTIVE,
    "PENDING_CREATE": BalancerStatus.PENDING,
    "PENDING_UPDATE": BalancerStatus.PENDING,
    "PENDING_DELETE": BalancerStatus.DELETED,
    "DELETED": BalancerStatus.DELETED,
    "ERROR": BalancerStatus.ERROR,
}
# Without a monitor nobody looks, and there is nothing to wait for; a draining member still answers.
NODE_STATUSES = {
    "ONLINE": NodeStatus.ONLINE,
    "NO_MONITOR": NodeStatus.ONLINE,
    "DRAINING": NodeStatus.ONLINE,
    "OFFLINE": NodeStatus.OFFLINE,
    "ERROR": NodeStatus.OFFLINE,
}
# Octavia has no random choice, and its algorithms heed weights without being called so.
ALGORITHMS = {
    Algorithm.RANDOM: "ROUND_ROBIN",
    Algorithm.ROUND_ROBIN: "ROUND_ROBIN",
    Algorithm.WEIGHTED_ROUND_ROBIN: "ROUND_ROBIN",
    Algorithm.LEAST_CONNECTIONS: "LEAST_CONNECTIONS",
    Algorithm.WEIGHTED_LEAST_CONNECTIONS: "LEAST_CONNECTIONS",
}
# What Cloud Load Balancers adds to every request by itself (CLB docs, protocols).
FORWARDED = {"X-Forwarded-For": "true", "X-Forwarded-Port": "true", "X-Forwarded-Proto": "true"}
# A batch resets whatever it leaves out of a member to the default of a new one (types/member.py, MemberPOST).
RESET_BY_BATCH = ("subnet_id", "backup", "monitor_address", "monitor_port")


def status(body: Body) -> BalancerStatus:
    """Read a provisioning status."""
    return STATUSES.get(str(body.get("provisioning_status")), BalancerStatus.UNKNOWN)


def balancer_id(body: Body) -> str:
    """Give the id of the load balancer that a listener or pool is on."""
    return ids.read(body["loadbalancers"][0]["id"])


def balancer(shared: Body, listener: Body, pool: Body, members: Iterable[Body]) -> LoadBalancer:
    """Read a listener and what belongs to it. It has the status of whatever of these keeps it from being changed."""
    parts = (shared, listener, pool)
    ip = VirtualIp(id=str(shared["vip_port_id"]), address=shared["vip_address"])
    more = (VirtualIp(id=str(vip["port_id"]), address=vip["ip_address"]) for vip in shared.get("additional_vips") or ())
    return LoadBalancer(
        id=ids.read(listener["id"]),
        name=listener["name"],
        virtual_ips=(ip, *more),
        port=int(listener["protocol_port"]),
        protocol=listener["protocol"],
        status=next((seen for seen in map(status, parts) if seen is not BalancerStatus.ACTIVE), BalancerStatus.ACTIVE),
        nodes=tuple(map(node, members)),
    )


def node(member: Body) -> Node:
    """Read a member. One that Octavia could not set up is OFFLINE, whatever it says of its operation."""
    broken = status(member) is BalancerStatus.ERROR
    seen = NODE_STATUSES.get(str(member.get("operating_status")), NodeStatus.UNKNOWN)
    return Node(
        id=ids.read(member["id"]),
        address=member["address"],
        port=int(member["protocol_port"]),
        condition=_condition(member),
        status=NodeStatus.OFFLINE if broken else seen,
        weight=int(member["weight"]),
    )


def _condition(member: Body) -> Condition:
    if not member["admin_state_up"]:
        return Condition.DISABLED
    return Condition.ENABLED if member["weight"] else Condition.DRAINING


def shared_balancer(profile: BalancerProfile, vip: Mapping[str, str], place: str) -> dict[str, Any]:
    """Write the load balancer that all listeners are on, with our mark in that place."""
    return {"name": shared_name(profile), **vip, **marked({}, profile, place)}


def shared_name(profile: BalancerProfile) -> str:
    """Give its name."""
    return f"{profile.app}-{profile.environment}"


def mark(profile: BalancerProfile) -> tuple[str, ...]:
    """Give the words that say whose a load balancer is."""
    return f"app={profile.app}", f"environment={profile.environment}"


def is_marked(shared: Body, profile: BalancerProfile) -> bool:
    """Say whether a load balancer carries our mark, among its tags or in its description."""
    return _words(shared).issuperset(mark(profile))


def other_marks(shared: Body, profile: BalancerProfile) -> list[str]:
    """Give what on a load balancer says that it belongs to another app or environment."""
    kinds = {word.partition("=")[0] for word in mark(profile)}
    said = {word for word in _words(shared) if word.partition("=")[0] in kinds and "=" in word}
    return sorted(said.difference(mark(profile)))


def marked(shared: Body, profile: BalancerProfile, place: str) -> dict[str, Any]:
    """Write the mark beside what a load balancer says already.

    :param place: TAGS or DESCRIPTION.
    """
    words = [word for word in mark(profile) if word not in _words(shared)]
    if place == TAGS:
        return {TAGS: [*(shared.get(TAGS) or ()), *words]}
    return {DESCRIPTION: " ".join(filter(None, [shared.get(DESCRIPTION), *words]))}


def _words(shared: Body) -> set[str]:
    return {*(shared.get(TAGS) or ()), *(shared.get(DESCRIPTION) or "").split()}


def pool(listener: Listener, profile: BalancerProfile, shared_id: str) -> dict[str, Any]:
    """Write the pool of a listener."""
    body: dict[str, Any] = {
        "name": listener.name,
        "loadbalancer_id": shared_id,
        "protocol": listener.protocol,
        "lb_algorithm": ALGORITHMS[profile.algorithm],
    }
    if profile.persistence:
        body["session_persistence"] = {"type": _persistence(profile.persistence, listener.protocol)}
    return body


def _persistence(wanted: Persistence, protocol: str) -> str:
    # Only an HTTP listener can read and set cookies; behind the others a user is known by address.
    return wanted.value if protocol == "HTTP" else Persistence.SOURCE_IP.value


def monitor(wanted: HealthMonitor, listener: Listener, pool_id: str) -> dict[str, Any]:
    """Write the health monitor of a pool. One good probe brings a node back, as with Cloud Load Balancers."""
    body: dict[str, Any] = {
        "name": listener.name,
        "pool_id": pool_id,
        "type": "TCP",
        "delay": wanted.delay,
        # api-ref, health monitors: the time-out must be less than or equal to the delay.
        "timeout": min(wanted.timeout, wanted.delay),
        "max_retries": 1,
        "max_retries_down": wanted.attempts,
    }
    if wanted.probe is Probe.PAGE and listener.protocol in {"HTTP", "HTTPS"}:
        codes = _codes(wanted.status_regex)
        body |= {"type": listener.protocol, "http_method": "GET", "url_path": wanted.path, "expected_codes": codes}
    return body


def _codes(status_regex: str) -> str:
    """Give the statuses that match as Octavia wants them: a range, or a list."""
    codes = [code for code in range(100, 600) if re.search(status_regex, str(code))]
    if codes and codes == list(range(codes[0], codes[-1] + 1)):
        return f"{codes[0]}-{codes[-1]}" if len(codes) > 1 else str(codes[0])
    return ",".join(map(str, codes))


def listener(wanted: Listener, profile: BalancerProfile, shared_id: str, pool_id: str) -> dict[str, Any]:
    """Write a listener; its time-outs are in milliseconds."""
    body: dict[str, Any] = {
        "name": wanted.name,
        "loadbalancer_id": shared_id,
        "default_pool_id": pool_id,
        "protocol": wanted.protocol,
        "protocol_port": wanted.port,
        "timeout_client_data": profile.timeout * 1000,
        "timeout_member_data": profile.timeout * 1000,
    }
    if wanted.protocol == "HTTP":
        body["insert_headers"] = FORWARDED
    return body


def new_members(names: Mapping[str, str], port: int, subnet_id: str) -> list[dict[str, Any]]:
    """Write members that take requests at once, named after their servers. The weight is said, though the default."""
    same = {"protocol_port": port, "weight": 1, "admin_state_up": True}
    subnet = {"subnet_id": subnet_id} if subnet_id else {}
    return [{"address": address, "name": name, **same, **subnet} for address, name in names.items()]


def owner(member: Body, profile: BalancerProfile) -> str:
    """Give the name of the server of ours that a member was added for; empty when somebody else added it."""
    name = str(member.get("name") or "")
    return name if name.startswith(f"{shared_name(profile)}-") else ""


def in_condition(member: Body, condition: Condition) -> dict[str, Any]:
    """Write what gives a member that condition: weight 0 drains, administratively down cuts (api-ref, members)."""
    match condition:
        case Condition.ENABLED:
            return {"weight": member["weight"] or 1, "admin_state_up": True}
        case Condition.DRAINING:
            return {"weight": 0, "admin_state_up": True}
        case Condition.DISABLED:
            return {"weight": member["weight"], "admin_state_up": False}


def again(member: Body) -> Iterator[tuple[str, Any]]:
    """Give the items of a member that a batch must repeat, so that it changes nothing by leaving it out."""
    yield from ((key, member[key]) for key in ("address", "protocol_port", "weight", "admin_state_up"))
    yield from ((key, member[key]) for key in RESET_BY_BATCH if member.get(key) is not None)
