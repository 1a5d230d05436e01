"""Which load balancers Octavia accepts, beyond the values of single attributes. Pure; a rule raises its refusal."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable

from tasks.localcloud.balancing import octavia_faults
from tasks.localcloud.balancing.octavia_frontends import matching_codes
from tasks.localcloud.balancing.octavia_model import (
    POOLS_OF_LISTENERS,
    Listener,
    LoadBalancer,
    Member,
    Monitor,
    MonitorType,
    PersistenceType,
    Pool,
    Protocol,
)
from tasks.localcloud.balancing.octavia_tree import remaining
from tasks.localcloud.proxy.probes import STATUSES

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
HTTP_ONLY = ("http_method", "url_path", "expected_codes", "domain_name")


def check_listener(balancer: LoadBalancer, listener: Listener) -> None:
    """Refuse a listener whose port is taken, or whose pool is not there or speaks something else.

    :raises Fault: 409, 404 or 400.
    """
    others = [other for other in balancer.listeners if other.id != listener.id]
    if any(other.protocol_port == listener.protocol_port for other in others):
        raise octavia_faults.duplicate_listener(listener.protocol, listener.protocol_port)
    if listener.default_pool_id is None:
        return
    pool = balancer.pool(listener.default_pool_id)
    if pool is None:
        raise octavia_faults.not_found("Pool", listener.default_pool_id)
    if pool.protocol not in POOLS_OF_LISTENERS[listener.protocol]:
        raise octavia_faults.invalid(
            f"The pool protocol '{pool.protocol}' is invalid while the listener protocol is '{listener.protocol}'."
        )


def check_members(members: Iterable[Member]) -> None:
    """Refuse a pool that has a member twice, or one outside this machine.

    :raises Fault: 409 or 400.
    """
    listed = remaining(members)
    for member in listed:
        check_address(member.address)
    for (address, port), times in Counter(member.place for member in listed).items():
        if times > 1:
            raise octavia_faults.duplicate_member(address, port)


def check_address(address: str) -> None:
    """Refuse addresses outside 127.0.0.0/8.

    The one deliberate difference from the service, which refuses exactly these: the servers of the local cloud live in
    127.0.0.0/8, and its proxy must never talk to anything outside this machine.

    :raises Fault: 400.
    """
    try:
        local = ipaddress.IPv4Address(address) in LOOPBACK
    except ValueError as error:
        raise octavia_faults.invalid_input("address", address, "Value should be IPv4 format") from error
    if not local:
        raise octavia_faults.invalid(
            f"member address {address} is outside 127.0.0.0/8: this cloud runs on one machine and balances to its own "
            "servers only."
        )


def check_monitor(monitor: Monitor) -> None:
    """Refuse what does not belong to a type of health monitor (octavia/api/v2/controllers/health_monitor.py).

    :raises Fault: 400; also for codes that no HTTP answer has, since such a member could never be ONLINE.
    """
    if monitor.type is MonitorType.TCP:
        for name in HTTP_ONLY:
            if getattr(monitor, name) is not None:
                raise octavia_faults.invalid_option(name, f"health monitors of type {monitor.type}")
        return
    codes = matching_codes(monitor.expected_codes or "200")
    if not codes or not codes <= frozenset(STATUSES):
        raise octavia_faults.invalid_input("expected_codes", monitor.expected_codes, "Codes are 100 to 599")


def check_pool(pool: Pool) -> None:
    """Refuse a cookie where there are no headers to carry it.

    :raises Fault: 501.
    """
    if pool.session_persistence is PersistenceType.HTTP_COOKIE and pool.protocol is not Protocol.HTTP:
        raise octavia_faults.unsupported(f"session persistence HTTP_COOKIE in a pool of protocol {pool.protocol}")
