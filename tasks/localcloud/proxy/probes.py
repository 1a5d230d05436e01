"""Probes as Envoy's health checks, and regular expressions in the form that Envoy can check.

Pure. Envoy knows neither a regular expression for the status (ranges, computed here) nor one for the body (literal
parts in their order).
"""

import itertools
import re
from collections.abc import Iterable
from typing import Any

from tasks.localcloud.proxy.frontends import Expectation, Probe, ProbeKind

Json = dict[str, Any]

STATUSES = range(100, 600)
BODY_BYTES = 2048  # "first 2048 bytes only" (CLB docs, monitors)

ANY_BODY = {".", ".+", "^.", "^.+", ".+$", "^.+$"}  # an empty body is not worth an engine
TOKENS = re.compile(r"(?P<gap>\.\*)|\\(?P<escaped>[^0-9A-Za-z])|(?P<plain>[^\\.^$*+?{}\[\]|()])", re.DOTALL)

TLS_PROBE = {"probe": "tls"}
TLS_CONTEXT = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
# Traffic goes to backends as it came; only HTTPS probes speak TLS themselves. Certificates are not verified: a backend
# has a certificate for the site's name, not for its own address.
PROBE_SOCKETS = [
    {
        "name": "tls-probe",
        "match": TLS_PROBE,
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {"@type": f"type.googleapis.com/{TLS_CONTEXT}"},
        },
    },
    {
        "name": "traffic",
        "match": {},
        "transport_socket": {
            "name": "envoy.transport_sockets.raw_buffer",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
            },
        },
    },
]


def health_check(probe: Probe, log: str) -> Json:
    """Make one health check. A new backend is probed at once and gets no traffic before its first success.

    Envoy appends to the file `log` whenever a backend's health changes.
    """
    check: Json = {
        "timeout": f"{probe.timeout}s",
        "interval": f"{probe.interval}s",
        # Envoy asks backends without traffic once a minute unless told otherwise.
        "no_traffic_interval": f"{probe.interval}s",
        "unhealthy_threshold": probe.attempts,
        "healthy_threshold": probe.successes,
        "reuse_connection": False,
        "event_logger": [event_log(log)],
    }
    if probe.expects is None:
        return {**check, "tcp_health_check": {}}
    if probe.kind is ProbeKind.HTTPS:
        check["transport_socket_match_criteria"] = TLS_PROBE
    return {**check, "http_health_check": http_check(probe.expects)}


def event_log(path: str) -> Json:
    """Write events to a file, one JSON object a line."""
    sink = "type.googleapis.com/envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink"
    return {"name": "envoy.health_check.event_sink.file", "typed_config": {"@type": sink, "event_log_path": path}}


def http_check(expects: Expectation) -> Json:
    """Say what to ask and which answers are good.

    A wrong status is "retriable", which means it counts as one failed attempt; Envoy would otherwise take the backend
    out at the first one. A wrong body does so still: Envoy has no such choice there.
    """
    wrong = frozenset(STATUSES) - expects.statuses
    return {
        "path": expects.path,
        "method": expects.method,
        **({"host": expects.host} if expects.host else {}),
        "expected_statuses": status_ranges(expects.statuses),
        "retriable_statuses": status_ranges(wrong),
        "receive": [{"text": part.encode().hex()} for part in expects.body_parts],
        "response_buffer_size": BODY_BYTES,
    }


def status_ranges(statuses: Iterable[int]) -> list[Json]:
    """Make half-open ranges that hold exactly these statuses."""
    ranges: list[Json] = []
    for _, run in itertools.groupby(enumerate(sorted(statuses)), key=lambda pair: pair[1] - pair[0]):
        members = [status for _, status in run]
        ranges.append({"start": members[0], "end": members[-1] + 1})
    return ranges


def matching_statuses(pattern: str) -> frozenset[int]:
    """Find all statuses that a regular expression matches from their beginning.

    :raises re.error: the pattern is not one.
    """
    compiled = re.compile(pattern)
    return frozenset(status for status in STATUSES if compiled.match(str(status)))


def literal_parts(pattern: str) -> tuple[str, ...]:
    """Find the literal texts of a body pattern made of plain text and `.*`, in their order.

    :raises ValueError: the pattern needs a real regular expression engine, which Envoy does not have here.
    """
    if pattern in ANY_BODY:
        return ()
    unanchored = re.sub(r"(?<=\.\*)\$$", "", re.sub(r"^\^(?=\.\*)", "", pattern))
    parts, end = [""], 0
    for token in TOKENS.finditer(unanchored):
        if token.start() != end:
            break
        end = token.end()
        if token["gap"]:
            parts.append("")
        else:
            parts[-1] += token["escaped"] or token["plain"]
    if end < len(unanchored):
        raise ValueError(f"{unanchored[end:]!r} is more than plain text")
    return tuple(part for part in parts if part)
