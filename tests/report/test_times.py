"""Times in words."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.report.times import ago, iso, span

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172799, "47 h"),
        (172800, "2 days"),
    ],
)  # fmt: skip
def test_a_span_is_as_exact_as_anybody_cares(seconds, words):
    """Two of a unit at least; a clock that is a little behind makes nothing negative."""
    assert span(timedelta(seconds=seconds)) == words


def test_ago_counts_from_the_given_now():
    """Whose clock that is from is the caller's to know."""
    assert ago(NOON, NOON + timedelta(minutes=5)) == "5 min ago"


def test_programs_get_utc_whatever_zone_it_was_in():
    """One format, one zone."""
    elsewhere = NOON.astimezone(datetime.strptime("+0200", "%z").tzinfo)

    assert iso(NOON) == iso(elsewhere) == "2026-01-01T12:00:00Z"
