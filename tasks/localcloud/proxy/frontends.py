"""What a load balancer is, in nobody's dialect.

Owns the values that an API face (Cloud Load Balancers, Octavia) hands to the proxy: a frontend, where clients connect,
and its backends, where their requests go. Knows neither an API's JSON nor the proxy's configuration.
"""

from dataclasses import dataclass
from enum import StrEnum


class Traffic(StrEnum):
    """How the bytes of a frontend are understood: request by request, or as a stream passed through."""

    HTTP = "http"
    TCP = "tcp"


class Algorithm(StrEnum):
    """How a backend is chosen; weights count in the weighted ones only."""

    RANDOM = "RANDOM"
    ROUND_ROBIN = "ROUND_ROBIN"
    WEIGHTED_ROUND_ROBIN = "WEIGHTED_ROUND_ROBIN"
    LEAST_CONNECTIONS = "LEAST_CONNECTIONS"
    WEIGHTED_LEAST_CONNECTIONS = "WEIGHTED_LEAST_CONNECTIONS"

    @property
    def weighted(self) -> bool:
        """Whether weights count."""
        return self.value.startswith("WEIGHTED_")


class Condition(StrEnum):
    """What the owner wants of a backend: serve, finish what it has, or nothing at all, at once."""

    ENABLED = "ENABLED"
    DRAINING = "DRAINING"
    DISABLED = "DISABLED"


class Health(StrEnum):
    """What the proxy has seen of a backend."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


class Stickiness(StrEnum):
    """What keeps a client on one backend."""

    SOURCE_IP = "SOURCE_IP"
    COOKIE = "COOKIE"


class ProbeKind(StrEnum):
    """How a backend is asked whether it is well."""

    CONNECT = "CONNECT"
    HTTP = "HTTP"
    HTTPS = "HTTPS"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An address and port that something listens on."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One place that requests go to; a spare is used only while no other backend can serve."""

    endpoint: Endpoint
    condition: Condition = Condition.ENABLED
    weight: int = 1
    spare: bool = False


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What an HTTP probe asks for and wants to see: one of `statuses`, and `body_parts` in that order in the body."""

    path: str
    statuses: frozenset[int]
    body_parts: tuple[str, ...] = ()
    host: str | None = None
    method: str = "GET"


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How backends are watched: every `interval` seconds, `timeout` seconds each, OFFLINE after `attempts` failures.

    One that was OFFLINE is ONLINE again after `successes` good answers; a new one after its first.
    """

    kind: ProbeKind
    interval: int
    timeout: int
    attempts: int
    successes: int = 1
    expects: Expectation | None = None


@dataclass(frozen=True, kw_only=True)
class Frontend:
    """Where clients connect, how a backend is chosen, and after how many idle seconds a connection ends."""

    name: str
    listens: Endpoint
    traffic: Traffic
    algorithm: Algorithm
    idle_seconds: int
    backends: tuple[Backend, ...] = ()
    probe: Probe | None = None
    stickiness: Stickiness | None = None
