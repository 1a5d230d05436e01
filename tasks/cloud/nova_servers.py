"""What Nova says of a server becomes our Server; what it takes as metadata (compute api-ref, servers, server metadata).

Refuses to know how Nova is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from tasks.cloud import answers, automation, ids
from tasks.cloud.profiles import ServerProfile
from tasks.errors import CloudError
from tasks.plain import line
from tasks.rollout.claims import from_metadata
from tasks.rollout.labels import Labels
from tasks.rollout.model import Server, ServerStatus

PRIVATE = "private"
LONGEST_FAULT = 400
# Of the name and of the value of a metadata item, in characters (compute api-ref, server metadata).
LONGEST_ITEM = 255

STATUSES = {
    "BUILD": ServerStatus.BUILD,
    "ACTIVE": ServerStatus.ACTIVE,
    "REBOOT": ServerStatus.REBOOT,
    "HARD_REBOOT": ServerStatus.REBOOT,
    "SHUTOFF": ServerStatus.SHUTOFF,
    "ERROR": ServerStatus.ERROR,
    "DELETED": ServerStatus.DELETED,
    "SOFT_DELETED": ServerStatus.DELETED,
}


def read(body: Mapping[str, Any], profile: ServerProfile) -> Server | None:
    """Read a server; None when its metadata does not say that it belongs to the profile's app and environment."""
    labels = Labels.from_metadata(body.get("metadata") or {})
    if labels is None or (labels.app, labels.environment) != (profile.app, profile.environment):
        return None
    addresses = body.get("addresses") or {}
    status = _status(body, profile)
    private_ip = choose_private_ip(addresses, profile.private_network)
    return Server(
        id=ids.read(body["id"]),
        name=body["name"],
        status=status,
        private_ip=private_ip,
        created=answers.utc(body["created"]),
        labels=labels,
        fault=_fault(body)
        or automation.fault(body["metadata"], profile.wait_for)
        or _no_private_ip(status, private_ip, addresses),
        claims=from_metadata(body["metadata"]),
    )


def addresses(body: Mapping[str, Any]) -> Iterator[str]:
    """Give every address of a server, those that the cloud calls its access addresses too."""
    for entries in (body.get("addresses") or {}).values():
        yield from (entry["addr"] for entry in entries)
    yield from filter(None, (body.get("accessIPv4"), body.get("accessIPv6")))


def fitting(metadata: Mapping[str, str]) -> dict[str, str]:
    """Give metadata items as they are, when they are short enough for Nova, which would refuse them all together.

    :raises CloudError: one is not.
    """
    for name, value in metadata.items():
        if max(len(name), len(value)) > LONGEST_ITEM:
            raise CloudError(
                f"the metadata item {name[:LONGEST_ITEM]!r} has {len(value)} characters, and Nova keeps {LONGEST_ITEM}"
            )
    return dict(metadata)


def _status(body: Mapping[str, Any], profile: ServerProfile) -> ServerStatus:
    if body.get("OS-EXT-STS:task_state") == "deleting":
        return ServerStatus.DELETING  # Nova goes on saying ACTIVE until it is gone
    status = STATUSES.get(body["status"], ServerStatus.UNKNOWN)
    return automation.status(body["metadata"], profile.wait_for) if status is ServerStatus.ACTIVE else status


def choose_private_ip(addresses: Mapping[str, Any], wanted: str) -> str | None:
    """Choose a server's private IP.

    :param addresses: Nova's: a list of addresses for every network label.
    :param wanted: a label or a CIDR; empty for the network labelled "private", else the only fixed IPv4 address.
    """
    found = list(_fixed(addresses))
    if "/" in wanted:
        inside = ip_network(wanted, strict=False)
        return next((ip for _, ip in found if ip_address(ip) in inside), None)
    labelled = [ip for label, ip in found if label == (wanted or PRIVATE)]
    if labelled or wanted:
        return next(iter(labelled), None)
    return found[0][1] if len(found) == 1 else None


def _fixed(addresses: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, entries in addresses.items():
        for entry in entries:
            if entry["version"] == 4 and entry.get("OS-EXT-IPS:type", "fixed") == "fixed":
                # Read as what it has to be: it becomes a part of command lines and of a file of host keys.
                yield label, str(ip_address(entry["addr"]))


def _fault(body: Mapping[str, Any]) -> str:
    # Nova shows the fault of a server in ERROR or DELETED only; the details are hidden from users.
    return line(str((body.get("fault") or {}).get("message", "")), most=LONGEST_FAULT)


def _no_private_ip(status: ServerStatus, private_ip: str | None, addresses: Mapping[str, Any]) -> str:
    if status is not ServerStatus.ACTIVE or private_ip or not addresses:
        return ""
    seen = ", ".join(f"{entry['addr']} ({label})" for label, entries in addresses.items() for entry in entries)
    return f"none of its addresses is on the private network: {seen}; set private_network to a label or CIDR of these"
