"""How Octavia shows its load balancers: exactly the attributes that the service has (octavia/api/v2/types, *Response).

What this cloud cannot do is shown as unset, the way the service shows it to who has not set it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.localcloud.balancing import octavia_status
from tasks.localcloud.balancing.octavia_model import PROVIDER, Listener, LoadBalancer, Member, Monitor, Pool, Resource
from tasks.localcloud.balancing.octavia_status import Healths

Json = dict[str, Any]

TLS: Json = {"tls_ciphers": None, "tls_versions": [], "alpn_protocols": []}


@dataclass(frozen=True, kw_only=True)
class View:
    """One load balancer as a client sees it; `healths` is what Envoy has seen of each pool's members, by pool id."""

    project: str
    balancer: LoadBalancer
    healths: Mapping[str, Healths]

    def load_balancer(self) -> Json:
        """Show the load balancer, with the ids of what is in it."""
        vip = self.balancer.vip
        return {
            **self._own(self.balancer, octavia_status.of_balancer(self.balancer, self.healths)),
            "description": self.balancer.description,
            "vip_address": vip.address,
            "vip_port_id": vip.port_id,
            "vip_subnet_id": vip.subnet_id,
            "vip_network_id": vip.network_id,
            "vip_qos_policy_id": None,
            "vip_vnic_type": "normal",
            "additional_vips": [],
            "listeners": ids(self.balancer.listeners),
            "pools": ids(self.balancer.pools),
            "provider": PROVIDER,
            "flavor_id": None,
            "availability_zone": None,
        }

    def full_load_balancer(self) -> Json:
        """Show the load balancer with everything in it, as a create answers."""
        return {
            **self.load_balancer(),
            "listeners": [without(self.listener(each), "loadbalancers") for each in self.balancer.listeners],
            "pools": [self._full_pool(pool) for pool in self.balancer.pools],
        }

    def listener(self, listener: Listener) -> Json:
        """Show a listener."""
        return {
            **self._own(listener, octavia_status.of_listener(listener, self.balancer)),
            "description": listener.description,
            "protocol": listener.protocol,
            "protocol_port": listener.protocol_port,
            "connection_limit": -1,
            "default_tls_container_ref": None,
            "sni_container_refs": [],
            "default_pool_id": listener.default_pool_id,
            "l7policies": [],
            "insert_headers": dict(listener.insert_headers),
            "loadbalancers": ids([self.balancer]),
            "timeout_client_data": listener.timeout_client_data,
            "timeout_member_connect": listener.timeout_member_connect,
            "timeout_member_data": listener.timeout_member_data,
            "timeout_tcp_inspect": listener.timeout_tcp_inspect,
            "client_ca_tls_container_ref": None,
            "client_authentication": "NONE",
            "client_crl_container_ref": None,
            "allowed_cidrs": None,
            **TLS,
        }

    def pool(self, pool: Pool) -> Json:
        """Show a pool."""
        persistence = None
        if pool.session_persistence:
            unset = {"cookie_name": None, "persistence_timeout": None, "persistence_granularity": None}
            persistence = {"type": pool.session_persistence, **unset}
        return {
            **self._own(pool, octavia_status.of_pool(pool, self.balancer, self.healths[pool.id])),
            "description": pool.description,
            "protocol": pool.protocol,
            "lb_algorithm": pool.lb_algorithm,
            "session_persistence": persistence,
            "loadbalancers": ids([self.balancer]),
            "listeners": ids(self.balancer.listeners_of(pool)),
            "healthmonitor_id": pool.monitor.id if pool.monitor else None,
            "members": ids(pool.members),
            "tls_container_ref": None,
            "ca_tls_container_ref": None,
            "crl_container_ref": None,
            "tls_enabled": False,
            **TLS,
        }

    def member(self, member: Member, pool: Pool) -> Json:
        """Show a member."""
        return {
            **self._own(member, octavia_status.of_member(member, pool, self.healths[pool.id])),
            "address": member.address,
            "protocol_port": member.protocol_port,
            "weight": member.weight,
            "backup": member.backup,
            "subnet_id": member.subnet_id,
            "monitor_address": None,
            "monitor_port": None,
            "vnic_type": "normal",
        }

    def monitor(self, monitor: Monitor, pool: Pool) -> Json:
        """Show a health monitor."""
        return {
            **self._own(monitor, octavia_status.of_monitor(monitor)),
            "type": monitor.type,
            "delay": monitor.delay,
            "timeout": monitor.timeout,
            "max_retries": monitor.max_retries,
            "max_retries_down": monitor.max_retries_down,
            "http_method": monitor.http_method,
            "url_path": monitor.url_path,
            "expected_codes": monitor.expected_codes,
            "http_version": None,
            "domain_name": monitor.domain_name,
            "pools": ids([pool]),
        }

    def _full_pool(self, pool: Pool) -> Json:
        monitor = without(self.monitor(pool.monitor, pool), "pools") if pool.monitor else None
        shown = without(self.pool(pool), "loadbalancers", "healthmonitor_id")
        return {**shown, "members": [self.member(each, pool) for each in pool.members], "healthmonitor": monitor}

    def _own(self, resource: Resource, operating: octavia_status.Operating) -> Json:
        return {
            "id": resource.id,
            "name": resource.name,
            "provisioning_status": resource.provisioning_status,
            "operating_status": operating,
            "admin_state_up": resource.admin_state_up,
            "project_id": self.project,
            "created_at": moment(resource.created_at),
            "updated_at": moment(resource.updated_at),
            "tags": list(resource.tags),
        }


def moment(time: datetime | None) -> str | None:
    """Show a time as the service does: UTC, whole seconds, no zone."""
    return time.replace(tzinfo=None).isoformat() if time else None


def ids(things: Iterable[Resource]) -> list[Json]:
    """Refer to things."""
    return [{"id": thing.id} for thing in things]


def without(shown: Json, *names: str) -> Json:
    """Leave attributes out."""
    return {name: value for name, value in shown.items() if name not in names}


def stats(counters: Iterable[Mapping[str, int]]) -> Json:
    """Add up what Envoy has counted, in the service's words (Octavia api-ref, load balancer statistics)."""
    every = list(counters)

    def total(*names: str) -> int:
        return sum(counted.get(name, 0) for counted in every for name in names)

    return {
        "active_connections": total("downstream_cx_active"),
        "bytes_in": total("downstream_cx_rx_bytes_total"),
        "bytes_out": total("downstream_cx_tx_bytes_total"),
        "request_errors": total("downstream_cx_protocol_error"),
        "total_connections": total("downstream_cx_total"),
    }
