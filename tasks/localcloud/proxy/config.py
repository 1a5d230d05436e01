"""Frontends as Envoy's configuration: listeners, clusters and endpoint assignments.

Pure: frontends in, JSON documents out. Refuses to know where the files lie, what runs, or which API asked.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.localcloud.proxy.events import HEALTH_LOG
from tasks.localcloud.proxy.frontends import Algorithm, Backend, Condition, Frontend, Stickiness
from tasks.localcloud.proxy.listeners import TYPES, listener
from tasks.localcloud.proxy.probes import PROBE_SOCKETS, health_check

Json = dict[str, Any]

# What Envoy does with a backend: DRAINING gets nothing new and keeps what it has (and what a cookie directs to it);
# UNHEALTHY gets nothing even then. The established connections of a DISABLED backend are cut by the caller.
EDS_HEALTH = {
    Condition.ENABLED: "HEALTHY",
    Condition.DRAINING: "DRAINING",
    Condition.DISABLED: "UNHEALTHY",
}

LIMITS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
MANY = 100_000

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def resources(version: str, items: Iterable[Json]) -> Json:
    """Make one file's content, as Envoy's file subscriptions want it."""
    return {"version_info": version, "resources": list(items)}


def bootstrap(directory: str, admin_socket: str) -> Json:
    """Tell Envoy what it starts with: where its admin socket is and which files it watches."""
    return {
        "node": {"id": "local-cloud", "cluster": "local-cloud"},
        "admin": {"address": {"pipe": {"path": admin_socket, "mode": 0o600}}},
        "dynamic_resources": {
            "lds_config": watched_file(f"{directory}/listeners.json"),
            "cds_config": watched_file(f"{directory}/clusters.json"),
        },
    }


def watched_file(path: str) -> Json:
    """Subscribe to a file that is replaced by renaming."""
    return {"path_config_source": {"path": path}, "resource_api_version": "V3"}


def listeners(frontends: Iterable[Frontend]) -> list[Json]:
    """List the listeners of all frontends."""
    return [listener(frontend) for frontend in frontends]


def clusters(frontends: Iterable[Frontend], *, directory: str, marks: Mapping[str, int]) -> list[Json]:
    """List the clusters of all frontends; `marks` is explained in `severing`."""
    return [cluster(frontend, directory, marks[frontend.name]) for frontend in frontends]


def cluster(frontend: Frontend, directory: str, mark: int) -> Json:
    """Say how a frontend's backends are reached, chosen and watched."""
    return {
        "@type": f"{TYPES}/envoy.config.cluster.v3.Cluster",
        "name": frontend.name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": watched_file(f"{directory}/endpoints-{frontend.name}.json")},
        "connect_timeout": "2s",
        # Envoy's defaults (1024 requests, 3 retries at a time) are for protecting strangers' backends.
        "circuit_breakers": {"thresholds": [dict.fromkeys(LIMITS, MANY)]},
        "common_lb_config": {
            # With nothing usable the answer is 503 at once: never fall back on backends known to be bad.
            "healthy_panic_threshold": {"value": 0},
            # Changes of health reach Envoy's workers at once; by default those within a second are held back.
            "update_merge_window": "0s",
            # "DRAINING: ... connections that are being directed to it as a result of the session persistence
            # configuration" (CLB docs, nodes). UNHEALTHY is not in the list: DISABLED refuses even those.
            "override_host_status": {"statuses": ["UNKNOWN", "HEALTHY", "DEGRADED", "DRAINING"]},
        },
        # A removed backend leaves at once, however well it answers probes.
        "ignore_health_on_host_removal": True,
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_time": mark}},
        "typed_extension_protocol_options": {HTTP_OPTIONS: http_options()},
        "transport_socket_matches": PROBE_SOCKETS,
        **choice(frontend),
        **({"health_checks": [health_check(frontend.probe, f"{directory}/{HEALTH_LOG}")]} if frontend.probe else {}),
    }


def http_options() -> Json:
    """Allow one request per connection to a backend.

    App servers close idle keep-alive connections whenever they like. A request sent on such a connection at that very
    moment is lost, and a POST may not be sent again. A fresh connection never has that race, costs microseconds on
    loopback, and makes the established connections of a drained backend exactly its requests in flight.
    """
    return {
        "@type": f"{TYPES}/{HTTP_OPTIONS}",
        "common_http_protocol_options": {"max_requests_per_connection": 1},
        "explicit_http_config": {"http_protocol_options": {}},
    }


def choice(frontend: Frontend) -> Json:
    """Choose the load balancing policy. Stickiness by source address replaces the algorithm: a hash ring decides."""
    if frontend.stickiness is Stickiness.SOURCE_IP:
        return {"lb_policy": "RING_HASH"}
    match frontend.algorithm:
        case Algorithm.RANDOM:
            return {"lb_policy": "RANDOM"}
        case Algorithm.ROUND_ROBIN | Algorithm.WEIGHTED_ROUND_ROBIN:
            return {"lb_policy": "ROUND_ROBIN"}
        case Algorithm.LEAST_CONNECTIONS | Algorithm.WEIGHTED_LEAST_CONNECTIONS:
            return {"load_balancing_policy": {"policies": [{"typed_extension_config": least_connections()}]}}


def least_connections() -> Json:
    """Ask for the least busy of all backends, not of two picked at random, which is Envoy's default."""
    policy = "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest"
    return {
        "name": "envoy.load_balancing_policies.least_request",
        "typed_config": {"@type": f"{TYPES}/{policy}", "selection_method": "FULL_SCAN"},
    }


def endpoints(frontend: Frontend) -> Json:
    """Say who the backends are, and in which condition; spares come second."""
    first = [lb_endpoint(frontend, backend) for backend in frontend.backends if not backend.spare]
    second = [lb_endpoint(frontend, backend) for backend in frontend.backends if backend.spare]
    return {
        "@type": f"{TYPES}/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": frontend.name,
        "endpoints": [{"priority": 0, "lb_endpoints": first}, {"priority": 1, "lb_endpoints": second}],
        # Percent. Envoy's default of 140 sends traffic to spares as soon as 28 % of the others are down; spares are
        # for when all are ("... only in the rotation ... when all the primary nodes fail", CLB docs, nodes).
        "policy": {"overprovisioning_factor": 100_000},
    }


def lb_endpoint(frontend: Frontend, backend: Backend) -> Json:
    """Name one backend; its weight counts in the weighted algorithms only."""
    return {
        "endpoint": {"address": socket_address(backend)},
        "health_status": EDS_HEALTH[backend.condition],
        "load_balancing_weight": backend.weight if frontend.algorithm.weighted else 1,
    }


def socket_address(backend: Backend) -> Json:
    """Put an endpoint in Envoy's words."""
    return {"socket_address": {"address": backend.endpoint.address, "port_value": backend.endpoint.port}}
