from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.cloud.clb_bodies import creation
from tasks.cloud.profiles import Algorithm, BalancerProfile, HealthMonitor, Persistence, Probe
from tasks.rollout.model import Listener

PLAIN = BalancerProfile(app="guestbook", environment="live", algorithm=Algorithm.ROUND_ROBIN, timeout=60)
HTTP = Listener(name="guestbook-live-http", port=80, protocol="HTTP", node_port=8000)
TIMING = {"delay": 5, "timeout": 3, "attemptsBeforeDeactivation": 2}
PAGE = {"path": "/up", "statusRegex": "^200$"}


def test_a_balancer_says_whose_it_is() -> None:
    """A new load balancer carries app and environment as metadata, and no nodes."""
    assert creation(HTTP, PLAIN, None) == {
        "loadBalancer": {
            "name": "guestbook-live-http",
            "port": 80,
            "protocol": "HTTP",
            "virtualIps": [{"type": "PUBLIC"}],
            "algorithm": "ROUND_ROBIN",
            "timeout": 60,
            "metadata": [{"key": "app", "value": "guestbook"}, {"key": "environment", "value": "live"}],
        }
    }


@pytest.mark.parametrize(
    ("probe", "protocol", "monitor"),
    [
        (Probe.PAGE, "HTTP", {"type": "HTTP", **PAGE, **TIMING}),
        (Probe.PAGE, "HTTPS", {"type": "HTTPS", **PAGE, **TIMING}),
        (Probe.PAGE, "TCP", {"type": "CONNECT", **TIMING}),
        (Probe.CONNECT, "HTTP", {"type": "CONNECT", **TIMING}),
    ],
)
def test_a_monitor_fits_its_balancer(probe: Probe, protocol: str, monitor: dict[str, object]) -> None:
    """A monitor that asks for a page has the load balancer's protocol, and only connects where there is none."""
    profile = replace(PLAIN, monitor=HealthMonitor(probe=probe, path="/up", status_regex="^200$"))

    assert creation(replace(HTTP, protocol=protocol), profile, None)["loadBalancer"]["healthMonitor"] == monitor


@pytest.mark.parametrize(
    ("wanted", "protocol", "sent"),
    [
        (Persistence.COOKIE, "HTTP", "HTTP_COOKIE"),
        (Persistence.COOKIE, "HTTPS", "SOURCE_IP"),
        (Persistence.SOURCE_IP, "HTTP", "SOURCE_IP"),
    ],
)
def test_persistence_fits_its_balancer(wanted: Persistence, protocol: str, sent: str) -> None:
    """Where a load balancer cannot read cookies, a user is known by address."""
    body = creation(replace(HTTP, protocol=protocol), replace(PLAIN, persistence=wanted), None)

    assert body["loadBalancer"]["sessionPersistence"] == {"persistenceType": sent}
