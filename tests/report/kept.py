"""Servers that are kept for a rollback, those that serve after them, and somebody's claim."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tasks.rollout.claims import Claim
from tasks.rollout.labels import Predecessor
from tests.rollout.builders import OLD

UNTIL = "2026-01-01T12:30:00Z"
NOW = datetime(2026, 1, 1, 12, 1, tzinfo=UTC)


def claim(verb="deploy", generation=OLD, beat=NOW - timedelta(seconds=50)):
    """Give the claim of somebody who began a minute ago."""
    since = NOW - timedelta(minutes=1)
    return Claim(
        id="c", number=1, verb=verb, generation=generation, owner="ada@laptop", process="", since=since, beat=beat
    )


def parked(server, until=UNTIL):
    """Give a server that is kept out of rotation."""
    return replace(server, labels=replace(server.labels, parked=until))


def serving_after(server, *before):
    """Give a server whose deploy found these ones serving."""
    labels = before[0].labels
    previous = Predecessor(labels.generation, labels.release, len(before))
    return replace(server, labels=replace(server.labels, previous=previous))
