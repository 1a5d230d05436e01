"""What is going on beside what serves, in sentences."""

from datetime import UTC, datetime

import pytest

from tasks.report.outlook import until

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parked", "words"),
    [
        ("next deploy", "until the next deploy"),
        ("2026-01-01T12:30:00+00:00", "until 2026-01-01 12:30 UTC (30 min from now)"),
        ("2026-01-01T11:00:00+00:00", "until the next deploy or `fab reap --yes` (the time was 2026-01-01 11:00 UTC)"),
        ("soon", "until soon"),
        ("2026-01-01T12:30:00", "until 2026-01-01T12:30:00"),
        ("0001-01-01T00:00:00+23:00", "until 0001-01-01T00:00:00+23:00"),
    ],
)
def test_until_when_a_server_is_kept(parked, words):
    """The time is told; what is no time of ours, whoever wrote it to the metadata, is told as it stands there."""
    assert until(parked, NOW) == words
