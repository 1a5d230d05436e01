"""Times in words. Whose clock they are from is the caller's to know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def span(time: timedelta) -> str:
    """Give a length of time, as exactly as anybody cares: 40 s, 3 min, 5 h, 12 days."""
    seconds = max(0, round(time.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 120 * 60:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86400} days"


def ago(time: datetime, now: datetime) -> str:
    """Say how long ago something was."""
    return f"{span(now - time)} ago"


def iso(time: datetime) -> str:
    """Give a time for programs."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def clock(time: datetime) -> str:
    """Give a time for people."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
