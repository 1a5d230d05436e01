"""How the network service shows its one network, its one subnet, and the ports on it (networking api-ref, v2)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from tasks.localcloud.api.compute.server_views import whole_second
from tasks.localcloud.balancing.octavia_model import LoadBalancer
from tasks.localcloud.compute.server import Server
from tasks.localcloud.subnet import NETWORK_NAME, SUBNET_NAME, Subnet

Json = dict[str, Any]

LOOPBACK_MTU = 65536


def network(subnet: Subnet, project: str, created: datetime) -> Json:
    """Show the network that every server and every virtual IP is on."""
    return {
        **_owned(subnet.network_id, NETWORK_NAME, project, created),
        "admin_state_up": True,
        "status": "ACTIVE",
        "shared": False,
        "router:external": False,
        "is_default": True,
        "mtu": LOOPBACK_MTU,
        "port_security_enabled": False,
        "availability_zones": [],
        "availability_zone_hints": [],
        "subnets": [subnet.id],
    }


def subnet(subnet: Subnet, project: str, created: datetime) -> Json:
    """Show the subnet."""
    return {
        **_owned(subnet.id, SUBNET_NAME, project, created),
        "network_id": subnet.network_id,
        "ip_version": 4,
        "cidr": subnet.cidr,
        "gateway_ip": subnet.gateway,
        "allocation_pools": [{"start": first, "end": last} for first, last in subnet.pools],
        "enable_dhcp": False,
        "dns_nameservers": [],
        "host_routes": [],
        "service_types": [],
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
        "subnetpool_id": None,
    }


def server_port(server: Server, subnet: Subnet, project: str) -> Json:
    """Show the port of a server; its id follows from the server's."""
    port_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"local-cloud port {server.id}"))
    return {
        **_owned(port_id, "", project, server.created),
        **_port(server.private_ip, subnet),
        "status": "ACTIVE" if server.status == "ACTIVE" else "DOWN",
        "device_id": server.id,
        "device_owner": "compute:nova",
    }


def vip_port(balancer: LoadBalancer, subnet: Subnet, project: str) -> Json:
    """Show the port that holds the virtual IP of an Octavia load balancer, which is DOWN as Octavia leaves it."""
    return {
        **_owned(balancer.vip.port_id, f"octavia-lb-{balancer.id}", project, balancer.created_at),
        **_port(balancer.vip.address, subnet),
        "status": "DOWN",
        "device_id": f"lb-{balancer.id}",
        "device_owner": "Octavia",
    }


def _port(address: str, subnet: Subnet) -> Json:
    return {
        "network_id": subnet.network_id,
        "admin_state_up": True,
        "mac_address": _mac(address),
        "fixed_ips": [{"subnet_id": subnet.id, "ip_address": address}],
        "allowed_address_pairs": [],
        "security_groups": [],
        "port_security_enabled": False,
    }


def _mac(address: str) -> str:
    """Make a hardware address of an IP address: the loopback device has none."""
    return "fa:16:" + ":".join(f"{int(octet):02x}" for octet in address.split("."))


def _owned(resource_id: str, name: str, project: str, created: datetime) -> Json:
    return {
        "id": resource_id,
        "name": name,
        "description": "",
        "tenant_id": project,
        "project_id": project,
        "tags": [],
        "revision_number": 1,
        "created_at": whole_second(created),
        "updated_at": whole_second(created),
    }
