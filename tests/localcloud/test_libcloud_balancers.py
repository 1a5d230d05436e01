"""apache-libcloud's Rackspace load balancer driver, unmodified, on a running local cloud.

The driver looks at a load balancer every two seconds when it waits for a change, so its changes are in one story.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from libcloud.common.types import InvalidCredsError
from libcloud.loadbalancer.base import Algorithm, LoadBalancer, Member
from libcloud.loadbalancer.drivers.rackspace import RackspaceHTTPHealthMonitor
from libcloud.loadbalancer.providers import get_driver
from libcloud.loadbalancer.types import MemberCondition, Provider, State

from tests.localcloud.daemons import LocalCloud, eventually, local_cloud


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Give a running cloud."""
    with local_cloud(tmp_path_factory.mktemp("libcloud") / "state") as started:
        started.up()
        yield started


def log_in(running: LocalCloud, api_key: str) -> Any:
    """Make a driver that logs in by API key."""
    status = running.status()
    identity = status["auth_url_v2"].removesuffix("/v2.0")
    settings = {"ex_force_auth_url": identity, "ex_force_auth_version": "2.0_apikey", "region": "ord"}
    return get_driver(Provider.RACKSPACE)(status["username"], api_key, **settings)


@pytest.fixture(scope="module")
def driver(running: LocalCloud) -> Any:
    """Log in to Cloud Load Balancers."""
    return log_in(running, running.status()["api_key"])


def active(driver: Any, balancer: LoadBalancer) -> LoadBalancer:
    """Wait until a load balancer is active; gives what it is then."""
    seen = eventually(lambda: (now := driver.get_balancer(balancer.id)).state == State.RUNNING and now)
    assert isinstance(seen, LoadBalancer)
    return seen


@pytest.fixture
def balancer(driver: Any) -> Iterator[LoadBalancer]:
    """Create a load balancer of two members, and wait until it is active."""
    members = [Member(None, "127.0.0.1", port, extra={"weight": 3}) for port in (9001, 9002)]
    made = driver.create_balancer("web", members, protocol="http", port=8080, algorithm=Algorithm.WEIGHTED_ROUND_ROBIN)
    yield active(driver, made)
    active(driver, made)
    assert driver.destroy_balancer(made)
    eventually(lambda: made.id not in {other.id for other in driver.list_balancers()})


def members_of(driver: Any, balancer: LoadBalancer) -> dict[int, Any]:
    """Give the members by their ports."""
    return {member.port: member for member in driver.balancer_list_members(balancer)}


def test_a_wrong_api_key_is_refused(running: LocalCloud):
    """A wrong API key is libcloud's InvalidCredsError."""
    with pytest.raises(InvalidCredsError):
        log_in(running, "wrong").list_balancers()


def test_protocols_and_algorithms(driver: Any):
    """Protocols, algorithms and their default ports are read as libcloud understands them."""
    assert {"http", "https", "tcp"} <= set(driver.list_protocols())
    assert ("http", "80") in [(name, str(port)) for name, port in driver.ex_list_protocols_with_default_ports()]
    assert Algorithm.WEIGHTED_LEAST_CONNECTIONS in driver.list_supported_algorithms()


def test_a_load_balancer_as_it_is_seen(driver: Any, balancer: LoadBalancer):
    """Address, port, algorithm, members with weight and condition, times and virtual IPs are read."""
    [listed] = [other for other in driver.list_balancers() if other.id == balancer.id]
    first = members_of(driver, balancer)[9001]

    assert (listed.name, listed.port, listed.ip) == ("web", 8080, balancer.ip)
    assert balancer.extra["algorithm"] == Algorithm.WEIGHTED_ROUND_ROBIN
    assert balancer.extra["virtualIps"][0]["address"].startswith("127.")
    assert balancer.extra["created"] <= balancer.extra["updated"]
    assert (first.extra["weight"], first.extra["condition"]) == (3, MemberCondition.ENABLED)
    assert [other.id for other in driver.list_balancers(ex_member_address="127.0.0.1")] == [balancer.id]
    assert driver.list_balancers(ex_member_address="127.0.0.2") == []


def test_members_come_drain_and_go(driver: Any, balancer: LoadBalancer):
    """Members are attached, drained and detached, one by one and several at a time."""
    driver.ex_balancer_attach_members(balancer, [Member(None, "127.0.0.1", port) for port in (9003, 9004)])
    active(driver, balancer)
    drained = members_of(driver, balancer)[9001]
    driver.ex_balancer_update_member_no_poll(balancer, drained, condition=MemberCondition.DRAINING)
    active(driver, balancer)
    condition = members_of(driver, balancer)[9001].extra["condition"]
    driver.balancer_detach_member(balancer, drained)
    active(driver, balancer)
    left = members_of(driver, balancer)
    driver.ex_balancer_detach_members_no_poll(balancer, [left[9003], left[9004]])
    active(driver, balancer)

    assert condition == MemberCondition.DRAINING
    assert set(left) == {9002, 9003, 9004}
    assert set(members_of(driver, balancer)) == {9002}


def test_name_algorithm_and_health_monitor_change(driver: Any, balancer: LoadBalancer):
    """A load balancer takes another name and algorithm, a health monitor, and loses the monitor again."""
    driver.ex_update_balancer_no_poll(balancer, name="shop", algorithm=Algorithm.LEAST_CONNECTIONS)
    changed = active(driver, balancer)
    monitor = RackspaceHTTPHealthMonitor(
        type="HTTP",
        delay=10,
        timeout=5,
        attempts_before_deactivation=2,
        path="/healthz",
        status_regex="^2",
        body_regex="",
    )
    driver.ex_update_balancer_health_monitor_no_poll(balancer, monitor)
    monitored = active(driver, balancer).extra["healthMonitor"]
    driver.ex_disable_balancer_health_monitor_no_poll(balancer)

    assert (changed.name, changed.extra["algorithm"]) == ("shop", Algorithm.LEAST_CONNECTIONS)
    assert (monitored.type, monitored.path, monitored.status_regex) == ("HTTP", "/healthz", "^2")
    assert "healthMonitor" not in active(driver, balancer).extra


def test_libcloud_waits_for_a_change(driver: Any, balancer: LoadBalancer):
    """A change that libcloud waits for, by looking until the load balancer is active, comes back when it is."""
    changed = driver.update_balancer(balancer, name="waited-for")

    assert (changed.name, changed.state) == ("waited-for", State.RUNNING)
