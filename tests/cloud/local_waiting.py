"""Waiting for what the local cloud does."""

from __future__ import annotations

from collections.abc import Callable

from tasks.waiting import Patience, Seen, WallClock, until


def wait(look: Callable[[], Seen | None], what: str) -> Seen:
    """Wait for something that the local cloud does in a second or two."""
    return until(look, what=what, patience=Patience(limit=60.0, longest=0.5), clock=WallClock())
