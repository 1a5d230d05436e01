"""What servers and load balancers are to be like: values that the settings fill in. No API is known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Automation(StrEnum):
    """What a cloud may still do to a server that is ACTIVE already (Rackspace: RackConnect, managed service levels)."""

    RACKCONNECT = "rackconnect"
    MANAGED = "managed"


@dataclass(frozen=True, kw_only=True)
class ServerProfile:
    """What every server of an app and environment is created from.

    :param image: name or id. A name must be unique.
    :param flavor: name or id.
    :param key_name: a keypair of the cloud; with `public_key` too it must hold that key. Empty with `public_key`: one
        is imported, named after the app, the environment and the key, so that two operators do not clash.
    :param public_key: a line as in id_ed25519.pub.
    :param networks: names or ids; none leaves it to the cloud.
    :param private_network: the label of the network ("private"), or a CIDR, in which a server's private IP lies. Empty:
        the network labelled "private", else the only fixed IPv4 address.
    :param microversion: of the compute API; "2" for clouds that know none. Empty: the one pinned for the kind of cloud.
    :param wait_for: a server counts as BUILD until these have finished with it; on an account without them: for ever.
    :param metadata: items that every server is created with, beside its labels.
    :param files: at most five small files injected at boot, by path (personality); microversions up to 2.56.
    :param user_data: for cloud-init, at most 65535 characters once encoded.
    :param config_drive: None: where user data needs one (Rackspace), else the cloud's own choice.
    """

    app: str
    environment: str
    image: str
    flavor: str
    key_name: str = ""
    public_key: str = ""
    networks: tuple[str, ...] = ()
    private_network: str = ""
    microversion: str = ""
    wait_for: tuple[Automation, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    user_data: str = ""
    config_drive: bool | None = None
    security_groups: tuple[str, ...] = ()
    availability_zone: str = ""


class BalancerApi(StrEnum):
    """Which API makes load balancers."""

    CLB = "clb"
    OCTAVIA = "octavia"


class Algorithm(StrEnum):
    """How a load balancer chooses a node (CLB docs, algorithms)."""

    RANDOM = "RANDOM"
    ROUND_ROBIN = "ROUND_ROBIN"
    LEAST_CONNECTIONS = "LEAST_CONNECTIONS"
    WEIGHTED_ROUND_ROBIN = "WEIGHTED_ROUND_ROBIN"
    WEIGHTED_LEAST_CONNECTIONS = "WEIGHTED_LEAST_CONNECTIONS"


class Persistence(StrEnum):
    """How a load balancer sends the same user to the same node (CLB docs, session persistence)."""

    COOKIE = "HTTP_COOKIE"
    SOURCE_IP = "SOURCE_IP"


class Probe(StrEnum):
    """How a health monitor looks at a node: connect only, or ask for a page."""

    CONNECT = "CONNECT"
    PAGE = "PAGE"


@dataclass(frozen=True, kw_only=True)
class HealthMonitor:
    """How a load balancer finds out whether a node works (CLB docs, monitors). Times in seconds.

    :param delay: between two probes, 1 to 3600.
    :param timeout: of one probe, 1 to 300.
    :param attempts: failed probes until a node is OFFLINE, 1 to 10.
    :param path: the page asked for; only for PAGE, as is `status_regex`.
    """

    probe: Probe = Probe.PAGE
    delay: int = 5
    timeout: int = 3
    attempts: int = 2
    path: str = "/healthz"
    status_regex: str = "^[23][0-9][0-9]$"


@dataclass(frozen=True, kw_only=True)
class BalancerProfile:
    """What every load balancer of an app and environment is created with.

    :param api: None leaves it to the cloud's catalog.
    :param timeout: seconds that a connection may be idle, 30 to 120.
    :param virtual_ip_type: CLB: PUBLIC, or SERVICENET for a load balancer that only servers can reach.
    :param vip_subnet: Octavia: name or id of the subnet of the virtual IP. Empty, as `vip_network` too: the only one.
    :param vip_network: Octavia: name or id of the network of the virtual IP.
    :param member_subnet: Octavia: name or id of the subnet of the nodes. Empty: that of the virtual IP, or routed to.
    """

    app: str
    environment: str
    api: BalancerApi | None = None
    algorithm: Algorithm = Algorithm.LEAST_CONNECTIONS
    timeout: int = 30
    monitor: HealthMonitor | None = None
    persistence: Persistence | None = None
    virtual_ip_type: str = "PUBLIC"
    vip_subnet: str = ""
    vip_network: str = ""
    member_subnet: str = ""
