from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.cloud.octavia_bodies import ALGORITHMS, listener, monitor, pool
from tasks.cloud.profiles import Algorithm, HealthMonitor, Persistence, Probe
from tasks.rollout.model import Listener
from tests.cloud.octavia_wire import HTTP, HTTPS, PROFILE

TCP = replace(HTTP, protocol="TCP")
LOOK = HealthMonitor(path="/up", delay=5, timeout=3, attempts=2, status_regex="^200$")
PAGE = {"http_method": "GET", "url_path": "/up", "expected_codes": "200"}


def test_every_algorithm_is_mapped() -> None:
    """All algorithms that can be set have one of Octavia's, which are weighted by nature."""
    assert set(ALGORITHMS) == set(Algorithm)
    assert set(ALGORITHMS.values()) == {"ROUND_ROBIN", "LEAST_CONNECTIONS"}


def test_a_pool_has_the_profiles_algorithm() -> None:
    """A pool has the protocol of its listener and the algorithm that was set."""
    wanted = replace(PROFILE, algorithm=Algorithm.LEAST_CONNECTIONS)

    assert pool(HTTPS, wanted, "lb") == {
        "name": HTTPS.name,
        "loadbalancer_id": "lb",
        "protocol": "HTTPS",
        "lb_algorithm": "LEAST_CONNECTIONS",
    }


@pytest.mark.parametrize(
    ("wanted", "made_for", "sent"),
    [
        (Persistence.COOKIE, HTTP, "HTTP_COOKIE"),
        (Persistence.COOKIE, HTTPS, "SOURCE_IP"),
        (Persistence.COOKIE, TCP, "SOURCE_IP"),
        (Persistence.SOURCE_IP, HTTP, "SOURCE_IP"),
    ],
)
def test_persistence_fits_the_listener(wanted: Persistence, made_for: Listener, sent: str) -> None:
    """Where a listener cannot read cookies, a user is known by address."""
    body = pool(made_for, replace(PROFILE, persistence=wanted), "lb")

    assert body["session_persistence"] == {"type": sent}


@pytest.mark.parametrize(
    ("probe", "made_for", "sent"),
    [
        (Probe.PAGE, HTTP, {"type": "HTTP", **PAGE}),
        (Probe.PAGE, HTTPS, {"type": "HTTPS", **PAGE}),
        (Probe.PAGE, TCP, {"type": "TCP"}),
        (Probe.CONNECT, HTTP, {"type": "TCP"}),
    ],
)
def test_a_monitor_fits_the_listener(probe: Probe, made_for: Listener, sent: dict[str, str]) -> None:
    """A monitor that asks for a page has the listener's protocol, and only connects where there is none."""
    body = monitor(replace(LOOK, probe=probe), made_for, "pool")

    timing = {"delay": 5, "timeout": 3, "max_retries": 1, "max_retries_down": 2}
    assert body == {"name": made_for.name, "pool_id": "pool", **timing, **sent}


def test_a_probe_is_over_before_the_next_begins() -> None:
    """A time-out longer than the delay, which Octavia refuses, becomes as long as the delay."""
    assert monitor(replace(LOOK, delay=5, timeout=10), HTTP, "pool")["timeout"] == 5


@pytest.mark.parametrize(
    ("regex", "codes"),
    [("^200$", "200"), ("^[23][0-9][0-9]$", "200-399"), ("^2..$", "200-299"), ("^(200|204|301)$", "200,204,301")],
)
def test_expected_statuses_are_a_range_or_a_list(regex: str, codes: str) -> None:
    """The statuses that an expression matches are written as Octavia reads them."""
    assert monitor(replace(LOOK, status_regex=regex), HTTP, "pool")["expected_codes"] == codes


def test_timeouts_are_in_milliseconds() -> None:
    """The time that a connection may be idle holds on both sides of a listener."""
    body = listener(HTTP, replace(PROFILE, timeout=45), "lb", "pool")

    assert (body["timeout_client_data"], body["timeout_member_data"]) == (45_000, 45_000)


def test_apps_are_told_who_asked() -> None:
    """An HTTP listener adds the headers that Cloud Load Balancers adds; the others cannot."""
    headers = {"X-Forwarded-For": "true", "X-Forwarded-Port": "true", "X-Forwarded-Proto": "true"}

    assert listener(HTTP, PROFILE, "lb", "pool")["insert_headers"] == headers
    assert "insert_headers" not in listener(HTTPS, PROFILE, "lb", "pool")
