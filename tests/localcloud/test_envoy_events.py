"""What Envoy's event file says about its backends."""

import json
from datetime import UTC, datetime

import pytest

from tasks.localcloud.proxy.events import HealthEvent, health_events
from tasks.localcloud.proxy.frontends import Endpoint, Health


def entry(**event) -> str:
    """Write a line as Envoy 1.40 does."""
    host = {"socket_address": {"protocol": "TCP", "address": "127.9.2.1", "port_value": 8000}}
    when = "2026-11-23T05:38:28.481Z"
    return json.dumps({"health_checker_type": "HTTP", "host": host, "cluster_name": "web", "timestamp": when, **event})


@pytest.mark.parametrize(
    ("event", "health", "reason"),
    [
        (
            {"health_check_failure_event": {"failure_type": "NETWORK", "first_check": True, "http_status_code": 0}},
            Health.OFFLINE,
            "the health monitor's first attempt has failed: nothing accepted the connection",
        ),
        (
            {"eject_unhealthy_event": {"failure_type": "ACTIVE", "http_status_code": 404}},
            Health.OFFLINE,
            "the health monitor's attempts have failed: HTTP status 404",
        ),
        ({"add_healthy_event": {"first_check": False}}, Health.ONLINE, "the health monitor's attempt has succeeded"),
    ],
)
def test_a_change_of_health_has_its_reason(tmp_path, event, health, reason):
    """Out of rotation, never in rotation, back in rotation: each says what was seen."""
    (tmp_path / "log").write_text(entry(**event) + "\n")

    assert list(health_events(tmp_path / "log")) == [
        HealthEvent(
            number=1,
            frontend="web",
            backend=Endpoint(address="127.9.2.1", port=8000),
            health=health,
            when=datetime(2026, 11, 23, 5, 38, 28, 481000, tzinfo=UTC),
            reason=reason,
        )
    ]


def test_a_first_success_is_no_change(tmp_path):
    """A new backend counts as ONLINE, so finding it well changes nothing."""
    (tmp_path / "log").write_text(entry(add_healthy_event={"first_check": True}) + "\n")

    assert list(health_events(tmp_path / "log")) == []


def test_without_a_file_nothing_has_happened(tmp_path):
    """Envoy writes the file when there is something to write."""
    assert list(health_events(tmp_path / "log")) == []
