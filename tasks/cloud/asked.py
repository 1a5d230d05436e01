"""A request to an API as a record, for people who ask later what took so long. It holds nothing that opens a door."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from tasks.plain import line

LONGEST_PATH = 200
"""In characters."""
# What follows one of these in a path opens doors by itself: nobody who reads a record is to have it.
_TELLING = re.compile(r"(?<=/)(tokens|secrets|application_credentials|access_rules|OS-OAUTH1)/[^/]+")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that was sent, once: what is sent again is another one.

    :param path: of the URL, without host and query.
    :param status: of the answer; 0 when there was none.
    :param seconds: from sending to the answer.
    """

    api: str
    method: str
    path: str
    status: int
    seconds: float


def path_of(url: str) -> str:
    """Give a URL's path for a record: without host, user and query, ids that are secrets left out."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return "?"
    return line(_TELLING.sub(r"\1/…", path), most=LONGEST_PATH)
