"""How Envoy listens for a frontend, and what it does with each request or connection on its way in.

Pure: a frontend in, a listener document out.
"""

from typing import Any

from tasks.localcloud.proxy.frontends import Frontend, Stickiness, Traffic

Json = dict[str, Any]

TYPES = "type.googleapis.com"

ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {
        "@type": f"{TYPES}/envoy.extensions.filters.http.router.v3.Router",
        "suppress_envoy_headers": True,
    },
}

# Only what is known not to have reached a backend is sent to another one: POSTs are never doubled.
SAFE_RETRIES = {
    "retry_on": "connect-failure,reset-before-request",
    "num_retries": 3,
    "host_selection_retry_max_attempts": 5,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": f"{TYPES}/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            },
        },
    ],
    "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.05s"},
}


def listener(frontend: Frontend) -> Json:
    """Make the listener of a frontend, bound on its virtual IP and port."""
    bound = {"address": frontend.listens.address, "port_value": frontend.listens.port}
    network_filter = http_filter(frontend) if frontend.traffic is Traffic.HTTP else tcp_filter(frontend)
    return {
        "@type": f"{TYPES}/envoy.config.listener.v3.Listener",
        "name": frontend.name,
        "address": {"socket_address": bound},
        "filter_chains": [{"filters": [network_filter]}],
    }


def http_filter(frontend: Frontend) -> Json:
    """Pass requests one by one: HTTP/1.x with WebSocket upgrades, streams as long as bytes flow."""
    idle = f"{frontend.idle_seconds}s"
    manager: Json = {
        "@type": f"{TYPES}/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": frontend.name,
        "codec_type": "HTTP1",
        "http_protocol_options": {"accept_http_10": True, "default_host_for_http_10": str(frontend.listens)},
        "common_http_protocol_options": {"idle_timeout": idle},
        "stream_idle_timeout": idle,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "use_remote_address": True,
        # Envoy would name this machine instead of a client on loopback; `route_configuration` adds the real one.
        "skip_xff_append": True,
        "generate_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        "route_config": route_configuration(frontend),
        "http_filters": [*sticky_cookie(frontend), ROUTER],
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}


def route_configuration(frontend: Frontend) -> Json:
    """Send everything to the frontend's backends, with the headers that a load balancer adds (CLB docs, protocols)."""
    return {
        "name": frontend.name,
        "validate_clusters": False,  # Envoy may look at the listeners' file before it looks at the clusters'
        "request_headers_to_remove": ["x-envoy-external-address", "x-envoy-internal"],
        "request_headers_to_add": [
            header("X-Forwarded-For", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%", "APPEND_IF_EXISTS_OR_ADD"),
            header("X-Forwarded-Port", str(frontend.listens.port), "OVERWRITE_IF_EXISTS_OR_ADD"),
        ],
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route(frontend)]}],
    }


def header(name: str, value: str, action: str) -> Json:
    """Add a request header for the backend."""
    return {"header": {"key": name, "value": value}, "append_action": action}


def route(frontend: Frontend) -> Json:
    """Make the only route. Timeout 0: the idle time-out alone ends a request, else Envoy would end it after 15 s."""
    return {
        "match": {"prefix": "/"},
        "route": {
            "cluster": frontend.name,
            "timeout": "0s",
            "retry_policy": SAFE_RETRIES,
            "hash_policy": [{"connection_properties": {"source_ip": True}}],
        },
    }


def sticky_cookie(frontend: Frontend) -> list[Json]:
    """Set a cookie, for the browser's session, that names the backend chosen first."""
    if frontend.stickiness is not Stickiness.COOKIE:
        return []
    session = f"{TYPES}/envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState"
    state = {"@type": session, "cookie": {"name": f"X-Mapping-{frontend.name}", "path": "/", "ttl": "0s"}}
    stateful = {
        "@type": f"{TYPES}/envoy.extensions.filters.http.stateful_session.v3.StatefulSession",
        "session_state": {"name": "envoy.http.stateful_session.cookie", "typed_config": state},
    }
    return [{"name": "envoy.filters.http.stateful_session", "typed_config": stateful}]


def tcp_filter(frontend: Frontend) -> Json:
    """Pass bytes through, TLS included; another backend is tried when one refuses the connection."""
    proxy = {
        "@type": f"{TYPES}/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": frontend.name,
        "cluster": frontend.name,
        "idle_timeout": f"{frontend.idle_seconds}s",
        "max_connect_attempts": 4,
        "hash_policy": [{"source_ip": {}}],
    }
    return {"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}
