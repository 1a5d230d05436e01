"""A server as JSON, field by field as the microversion has it.

Facts: nova/api/openstack/compute/views/servers.py, rest_api_version_history.rst; api-ref, servers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tasks.localcloud.compute.server import Server, VmState

_WITH_PROGRESS = {"ACTIVE", "BUILD", "DELETED", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"}
ZONE = "nova"
"""The one availability zone."""


@dataclass(frozen=True, kw_only=True)
class ServerView:
    """Shows servers to one client: `root` is the compute endpoint it came by, `minor` the microversion it speaks."""

    root: str
    minor: int
    project: str
    user_id: str

    def brief(self, server: Server) -> dict[str, Any]:
        """Give what a list without details says."""
        return {"id": server.id, "name": server.name, "links": self.links(server)}

    def links(self, server: Server) -> list[dict[str, str]]:
        """Give the server's addresses in this API."""
        bookmark = self.root.removesuffix("/v2.1")
        return [
            {"rel": "self", "href": f"{self.root}/servers/{server.id}"},
            {"rel": "bookmark", "href": f"{bookmark}/servers/{server.id}"},
        ]

    def full(self, server: Server) -> dict[str, Any]:
        """Give everything that a project member sees."""
        shown = {**self.brief(server), **self._own(server), **self._asked_for(server), **self._extended(server)}
        if server.status in _WITH_PROGRESS:
            shown["progress"] = 0 if server.vm_state is VmState.BUILDING else 100
        if server.fault and server.vm_state in {VmState.ERROR, VmState.DELETED}:
            fault = server.fault
            shown["fault"] = {"code": fault.code, "created": whole_second(fault.created), "message": fault.message}
        return {**shown, **self._newer(server)}

    def alone(self, server: Server) -> dict[str, Any]:
        """Give what is shown of one server by itself: from 2.71 on, its groups as well."""
        groups = [server.request.group] if server.request.group else []
        return {**self.full(server), **({"server_groups": groups} if self.minor >= 71 else {})}

    def _own(self, server: Server) -> dict[str, Any]:
        addresses = {"private": [_address(server.private_ip)]}
        return {
            "status": server.status,
            "tenant_id": self.project,
            "user_id": self.user_id,
            "metadata": dict(server.metadata),
            "hostId": hashlib.sha224(f"{self.project}localhost".encode()).hexdigest(),
            "addresses": addresses if server.launched and server.vm_state is not VmState.DELETED else {},
            "accessIPv4": "",
            "accessIPv6": "",
            "created": whole_second(server.created),
            "updated": whole_second(server.updated),
        }

    def _asked_for(self, server: Server) -> dict[str, Any]:
        request = server.request
        bookmark = self.root.removesuffix("/v2.1")
        return {
            "image": {"id": request.image.id, "links": [_bookmark(f"{bookmark}/images/{request.image.id}")]},
            "flavor": self._flavor(server),
            "key_name": request.key.name if request.key else None,
            "config_drive": "True" if request.config_drive else "",
            "security_groups": [{"name": name} for name in request.security_groups],
            "OS-DCF:diskConfig": request.disk_config,
        }

    def _flavor(self, server: Server) -> dict[str, Any]:
        flavor = server.request.flavor
        if self.minor < 47:
            href = f"{self.root.removesuffix('/v2.1')}/flavors/{flavor.id}"
            return {"id": flavor.id, "links": [_bookmark(href)]}
        return {
            "original_name": flavor.name,
            "vcpus": flavor.vcpus,
            "ram": flavor.ram,
            "disk": flavor.disk,
            "ephemeral": 0,
            "swap": flavor.swap,
            "extra_specs": {},
        }

    def _extended(self, server: Server) -> dict[str, Any]:
        return {
            "OS-EXT-AZ:availability_zone": ZONE,
            "OS-EXT-STS:vm_state": server.vm_state,
            "OS-EXT-STS:task_state": server.task_state,
            "OS-EXT-STS:power_state": server.power_state,
            "OS-SRV-USG:launched_at": _microseconds(server.launched),
            "OS-SRV-USG:terminated_at": _microseconds(server.deleted),
            "os-extended-volumes:volumes_attached": [],
        }

    def _newer(self, server: Server) -> dict[str, Any]:
        """Give the fields that came after 2.1, those that the microversion has."""
        fields: dict[int, dict[str, Any]] = {
            9: {"locked": False},
            19: {"description": server.request.description},
            26: {"tags": list(server.request.tags)},
            63: {"trusted_image_certificates": None},
            73: {"locked_reason": None},
            90: {"OS-EXT-SRV-ATTR:hostname": server.hostname},
            96: {"pinned_availability_zone": None},
        }
        return {name: value for since, new in fields.items() if self.minor >= since for name, value in new.items()}


def whole_second(moment: datetime) -> str:
    """Write a time as compute does: whole seconds, UTC, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _microseconds(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") if moment else None


def _address(private_ip: str) -> dict[str, Any]:
    octets = [int(octet) for octet in private_ip.split(".")]
    mac = "fa:16:" + ":".join(f"{octet:02x}" for octet in octets)
    return {"version": 4, "addr": private_ip, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": mac}


def _bookmark(href: str) -> dict[str, str]:
    return {"rel": "bookmark", "href": href}
