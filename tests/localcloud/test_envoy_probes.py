"""Probes as Envoy's health checks, and patterns in the form that Envoy can check."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.localcloud.proxy.frontends import Expectation, Probe, ProbeKind
from tasks.localcloud.proxy.probes import health_check, literal_parts, matching_statuses, status_ranges


def probe(kind: ProbeKind, **changes) -> Probe:
    """Describe a probe."""
    return Probe(kind=kind, interval=10, timeout=5, attempts=3, **changes)


OK = Expectation(path="/healthz", statuses=frozenset({200, 201}), body_parts=("well",), host="example.com")


def test_times_and_attempts_are_the_monitors_own():
    """Delay, timeout and attemptsBeforeDeactivation hold with and without traffic (CLB docs, monitors)."""
    check = health_check(probe(ProbeKind.CONNECT), "/log")

    assert (check["interval"], check["no_traffic_interval"], check["timeout"]) == ("10s", "10s", "5s")
    assert (check["unhealthy_threshold"], check["healthy_threshold"]) == (3, 1)
    assert check["tcp_health_check"] == {}


def test_an_http_probe_asks_for_its_path_and_host():
    """Path, hostHeader and body are handed on; the body as hexadecimal, of which 2048 bytes are read."""
    check = health_check(probe(ProbeKind.HTTP, expects=OK), "/log")["http_health_check"]

    assert (check["path"], check["host"]) == ("/healthz", "example.com")
    assert check["receive"] == [{"text": "77656c6c"}]
    assert check["response_buffer_size"] == 2048


def test_an_https_probe_speaks_tls_and_the_others_do_not():
    """Only an HTTPS monitor uses the TLS socket, whatever the traffic is."""
    assert "transport_socket_match_criteria" in health_check(probe(ProbeKind.HTTPS, expects=OK), "/log")
    assert "transport_socket_match_criteria" not in health_check(probe(ProbeKind.HTTP, expects=OK), "/log")


def test_a_wrong_status_counts_as_one_failed_attempt():
    """Every status is either expected or a failure that counts towards attemptsBeforeDeactivation."""
    check = health_check(probe(ProbeKind.HTTP, expects=OK), "/log")["http_health_check"]

    assert members(check["expected_statuses"]) == {200, 201}
    assert members(check["retriable_statuses"]) == set(range(100, 600)) - {200, 201}


def members(ranges: list[dict]) -> set[int]:
    """List what is in half-open ranges."""
    return {status for each in ranges for status in range(each["start"], each["end"])}


@given(st.sets(st.integers(100, 599)))
def test_ranges_hold_exactly_their_statuses(statuses):
    """No status is lost or gained, and no two ranges touch."""
    ranges = status_ranges(statuses)

    assert members(ranges) == statuses
    assert all(one["end"] < other["start"] for one, other in pairwise(ranges))


@pytest.mark.parametrize(
    ("pattern", "matching", "failing"),
    [("^[234][0-9][0-9]$", {200, 302, 404}, {500}), ("200|204", {200, 204}, {201}), ("^2", {200, 299}, {302})],
)
def test_a_status_pattern_is_a_set_of_statuses(pattern, matching, failing):
    """Since statuses are few, a regular expression is the list of those it matches."""
    statuses = matching_statuses(pattern)

    assert matching <= statuses
    assert not failing & statuses


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("healthy", ("healthy",)),
        ("^.*healthy.*$", ("healthy",)),
        ("ok.*release 42", ("ok", "release 42")),
        (r"v1\.2 \(stable\)", ("v1.2 (stable)",)),
        (".", ()),
        (".*", ()),
        ("^.*$", ()),
    ],
)
def test_a_body_pattern_of_plain_text_is_its_texts_in_order(pattern, parts):
    """Plain text and `.*` are what Envoy can look for."""
    assert literal_parts(pattern) == parts


@pytest.mark.parametrize("pattern", ["^ok", "ok$", "a|b", r"\d+", "[ab]", "a+", "a.b", "(ok)"])
def test_a_body_pattern_that_needs_an_engine_is_refused(pattern):
    """A pattern that Envoy cannot check is refused rather than half checked."""
    re.compile(pattern)

    with pytest.raises(ValueError, match="more than plain text"):
        literal_parts(pattern)


@given(
    st.lists(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1), min_size=1)
)
def test_escaped_text_is_read_back(texts):
    """Whatever is escaped as text comes out as that text."""
    assert literal_parts(".*".join(map(re.escape, texts))) == tuple(texts)
