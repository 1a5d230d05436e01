"""Health monitor and session persistence bodies become values, and every wrong field is named at once.

Sentences are the service's own (atlas-lb: HealthMonitorValidator, HttpHealthMonitorValidator,
ConnectHealthMonitorValidator, SessionPersistenceValidator).
"""

import re
from collections.abc import Iterator

from tasks.localcloud.api.balancing.clb_bodies import MonitorBody, PersistenceBody
from tasks.localcloud.balancing.clb_faults import validation_failure
from tasks.localcloud.balancing.clb_model import Monitor, Persistence
from tasks.localcloud.proxy.frontends import ProbeKind
from tasks.localcloud.proxy.probes import literal_parts, matching_statuses

DELAYS = range(1, 3601)
TIMEOUTS = range(1, 301)
ATTEMPTS = range(1, 11)
PATTERN_CHARACTERS = 128
HOST_CHARACTERS = 256


def new_monitor(body: MonitorBody) -> Monitor:
    """Make a health monitor of a body.

    :raises Fault: 400, naming everything that is wrong.
    """
    problems = [*problems_of_numbers(body), *problems_of_kind(body)]
    if problems:
        raise validation_failure(problems)
    return Monitor(
        type=ProbeKind(body.type or ""),
        delay=body.delay or 0,
        timeout=body.timeout or 0,
        attempts=body.attempts_before_deactivation or 0,
        path=body.path,
        status_regex=body.status_regex,
        body_regex=body.body_regex,
        host_header=body.host_header,
    )


def problems_of_numbers(body: MonitorBody) -> Iterator[str]:
    """Say which times and counts are missing or out of their range."""
    if body.id is not None:
        yield "Health monitor id field cannot be modified."
    attempts = body.attempts_before_deactivation
    yield from problems_of_number("delay", body.delay, DELAYS)
    yield from problems_of_number("timeout", body.timeout, TIMEOUTS)
    yield from problems_of_number("attempts before deactivation", attempts, ATTEMPTS)


def problems_of_number(name: str, number: int | None, allowed: range) -> Iterator[str]:
    """Say what is wrong with one of them."""
    if number is None:
        yield f"Must provide {name} for the health monitor."
    elif number not in allowed:
        yield f"Must specify valid {name} range between {allowed[0]} and {allowed[-1]}."


def problems_of_kind(body: MonitorBody) -> Iterator[str]:
    """Say what is missing, or too much, for this type of monitor."""
    match body.type:
        case None:
            yield "Must provide a type for the health monitor."
        case ProbeKind.CONNECT:
            yield from problems_of_connect(body)
        case ProbeKind.HTTP | ProbeKind.HTTPS:
            yield from problems_of_request(body)
        case _:
            yield "Health monitor type is invalid. Please specify a valid type: CONNECT, HTTP or HTTPS."


def problems_of_connect(body: MonitorBody) -> Iterator[str]:
    """Say what a CONNECT monitor may not have."""
    refused = {"path": body.path, "body regex": body.body_regex, "status regex": body.status_regex}
    for name, value in refused.items():
        if value is not None:
            yield f"A connect health monitor may not have a {name}. Use HTTP/HTTPS health monitor instead."
    if body.host_header is not None:
        yield "Host Header is not supported for CONNECT based health monitors."


def problems_of_request(body: MonitorBody) -> Iterator[str]:
    """Say what an HTTP or HTTPS monitor needs."""
    if not body.path:
        yield "Must provide a valid path for the health monitor."
    elif not body.path.startswith("/"):
        yield "Must provide a forward slash(/) as the beginning of the path."
    elif len(body.path) > PATTERN_CHARACTERS:
        yield f"path can not exceed {PATTERN_CHARACTERS} characters."
    if not body.status_regex:
        yield "Must provide a status regex for the health monitor."
    else:
        yield from problems_of_status_regex(body.status_regex)
    if body.body_regex:
        yield from problems_of_body_regex(body.body_regex)
    if len(body.host_header or "") > HOST_CHARACTERS:
        yield f"Host Header field cannot exceed {HOST_CHARACTERS} characters"


def problems_of_status_regex(pattern: str) -> Iterator[str]:
    """Say what is wrong with a pattern for the status."""
    if len(pattern) > PATTERN_CHARACTERS:
        yield f"statusRegex can not exceed {PATTERN_CHARACTERS} characters."
        return
    try:
        statuses = matching_statuses(pattern)
    except re.error:
        yield "Must provide a valid status regex"
    else:
        if not statuses:
            yield f"Must provide a valid status regex: no HTTP status matches {pattern!r}"


def problems_of_body_regex(pattern: str) -> Iterator[str]:
    """Say what is wrong with a pattern for the body. Envoy cannot match all: see `envoy_probes`."""
    if len(pattern) > PATTERN_CHARACTERS:
        yield f"bodyRegex can not exceed {PATTERN_CHARACTERS} characters."
        return
    try:
        re.compile(pattern)
        literal_parts(pattern)
    except re.error:
        yield "Must provide a valid body regex"
    except ValueError as reason:
        yield f"Must provide a valid body regex: the local cloud can match plain text and '.*' only ({reason})"


def new_persistence(body: PersistenceBody) -> Persistence:
    """Make session persistence of a body.

    :raises Fault: 400.
    """
    if body.persistence_type is None:
        raise validation_failure(["Must provide a persistence type."])
    if body.persistence_type not in set(Persistence):
        raise validation_failure(["Persistence type is invalid. Please specify a valid persistence type."])
    return Persistence(body.persistence_type)
