"""Octavia's values said to the proxy, and how a change settles: pure tables."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.localcloud.balancing.octavia_frontends import condition, frontend, frontends, matching_codes
from tasks.localcloud.balancing.octavia_model import (
    Listener,
    LoadBalancer,
    Member,
    Monitor,
    MonitorType,
    PersistenceType,
    Pool,
    PoolAlgorithm,
    Protocol,
    Provisioning,
    VirtualIp,
)
from tasks.localcloud.balancing.octavia_tree import changed, failed, leaving, settled, with_members
from tasks.localcloud.proxy.frontends import Condition, Stickiness, Traffic
from tasks.localcloud.proxy.probes import health_check

THEN = {"created_at": datetime(2026, 1, 1, tzinfo=UTC), "provisioning_status": Provisioning.ACTIVE}
MEMBER = Member(id="member", address="127.9.2.1", protocol_port=8000, **THEN)
MONITOR = Monitor(id="monitor", type=MonitorType.TCP, delay=5, timeout=2, max_retries=4, max_retries_down=2, **THEN)
POOL = Pool(id="pool", protocol=Protocol.HTTP, lb_algorithm=PoolAlgorithm.ROUND_ROBIN, members=(MEMBER,), **THEN)
LISTENER = Listener(id="listener", protocol=Protocol.HTTP, protocol_port=80, default_pool_id="pool", **THEN)
VIP = VirtualIp(address="127.9.1.1", port_id="port", subnet_id="subnet", network_id="network")
BALANCER = LoadBalancer(id="balancer", vip=VIP, listeners=(LISTENER,), pools=(POOL,), **THEN)


def served(**attributes):
    """Say the listener to the proxy, with a pool that differs in these attributes."""
    return frontend(replace(BALANCER, pools=(replace(POOL, **attributes),)), LISTENER)


@pytest.mark.parametrize(
    ("member", "pool", "wanted"),
    [
        ({}, {}, Condition.ENABLED),
        ({"weight": 0}, {}, Condition.DRAINING),
        ({"admin_state_up": False}, {}, Condition.DISABLED),
        ({"weight": 0, "admin_state_up": False}, {}, Condition.DISABLED),
        ({}, {"admin_state_up": False}, Condition.DISABLED),
    ],
)
def test_weight_and_admin_state_are_conditions(member, pool, wanted):
    """Weight 0 drains; administratively down, itself or its pool, is out at once and wins."""
    assert condition(replace(MEMBER, **member), replace(POOL, **pool)) is wanted


@pytest.mark.parametrize(
    ("expected", "codes"),
    [("200", {200}), ("200,202", {200, 202}), ("200, 404", {200, 404}), ("200-203", {200, 201, 202, 203})],
)
def test_codes_are_one_a_list_or_a_range(expected, codes):
    """`expected_codes` is read as the service documents it."""
    assert matching_codes(expected) == codes


def test_a_monitor_is_a_probe():
    """`max_retries` good answers bring a member back, `max_retries_down` bad ones take it out."""
    probe = served(monitor=MONITOR).probe
    assert probe
    check = health_check(probe, "log")

    assert (check["interval"], check["timeout"]) == ("5s", "2s")
    assert (check["healthy_threshold"], check["unhealthy_threshold"]) == (4, 2)
    assert served(monitor=replace(MONITOR, admin_state_up=False)).probe is None
    assert served(monitor=leaving(MONITOR)).probe is None


@pytest.mark.parametrize(
    ("attributes", "stickiness"),
    [
        ({}, None),
        ({"lb_algorithm": PoolAlgorithm.SOURCE_IP}, Stickiness.SOURCE_IP),
        ({"session_persistence": PersistenceType.SOURCE_IP}, Stickiness.SOURCE_IP),
        ({"session_persistence": PersistenceType.HTTP_COOKIE}, Stickiness.COOKIE),
    ],
)
def test_persistence_is_stickiness(attributes, stickiness):
    """The algorithm SOURCE_IP hashes the client's address, as persistence by it does."""
    assert served(**attributes).stickiness is stickiness


def test_the_longer_time_out_ends_a_silent_connection():
    """Time-outs of client and member are milliseconds; the proxy ends a connection after the longer one."""
    slow = replace(LISTENER, timeout_client_data=1_500, timeout_member_data=60_001)

    assert frontend(BALANCER, slow).idle_seconds == 61
    assert frontend(BALANCER, LISTENER).idle_seconds == 50


def test_only_http_is_understood():
    """HTTP is passed request by request, HTTPS as bytes."""
    assert frontend(BALANCER, LISTENER).traffic is Traffic.HTTP
    assert frontend(BALANCER, replace(LISTENER, protocol=Protocol.HTTPS)).traffic is Traffic.TCP


def test_what_goes_or_is_switched_off_is_not_served():
    """A listener that is deleted or down is no frontend; nothing of a load balancer that is down is."""
    assert list(frontends(BALANCER)) == ["octavia-listener"]
    assert frontends(replace(BALANCER, admin_state_up=False)) == {}
    assert frontends(replace(BALANCER, listeners=(leaving(LISTENER),))) == {}
    assert frontends(replace(BALANCER, listeners=(replace(LISTENER, admin_state_up=False),))) == {}


def test_a_change_settles_or_fails_as_a_whole():
    """A change locks member, pool, listener and load balancer; settled they are ACTIVE, failed in ERROR."""
    pending = with_members(BALANCER, POOL, [changed(MEMBER, {"weight": 3})])
    path = (pending, pending.listeners[0], pending.pools[0], pending.pools[0].members[0])
    broken = failed(pending)

    assert {each.provisioning_status for each in path} == {Provisioning.PENDING_UPDATE}
    assert settled(pending).pools[0].members[0].provisioning_status is Provisioning.ACTIVE
    assert broken.provisioning_status is broken.pools[0].members[0].provisioning_status is Provisioning.ERROR
    assert settled(with_members(BALANCER, POOL, [leaving(MEMBER)])).pools[0].members == ()


def test_null_is_the_default_or_no_change():
    """Null puts an attribute back to its default; one without a default stays as it is (_set_default_on_none)."""
    pool = changed(
        replace(POOL, name="web", description="x"), {"name": None, "description": None, "lb_algorithm": None}
    )

    assert (pool.name, pool.description, pool.lb_algorithm) == ("", "", PoolAlgorithm.ROUND_ROBIN)
