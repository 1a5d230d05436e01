"""Reading a list that comes in pages, from its first entry to its last.

Knows what all our APIs share: the next page begins after a marker, the id of the last entry seen. Refuses to know what
the entries are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tasks.cloud.faults import ListMoved
from tasks.errors import CloudError

Body = Mapping[str, Any]
Ask = Callable[[dict[str, str]], Body]

# How often a list is begun again when the entry that a page ended with has been deleted since.
BEGINNINGS = 5
MOST_PAGES = 10_000


def whole(ask: Ask, *, key: str, more: Callable[[Body], bool]) -> list[dict[str, Any]]:
    """Give all entries of a list, each once.

    :param ask: given the query of a page, gives its body.
    :param key: where the entries are in the body.
    :param more: says of a body whether another page follows.
    :raises ListMoved: entries were deleted while we read, again and again.
    :raises CloudError: page after page brings something new.
    """
    for _ in range(BEGINNINGS - 1):
        try:
            return list(_pages(ask, key, more))
        except ListMoved:
            continue
    return list(_pages(ask, key, more))


def has_next_link(key: str) -> Callable[[Body], bool]:
    """Say of a body of Nova's or Neutron's whether it links to a next page."""
    return lambda body: any(link.get("rel") == "next" for link in body.get(f"{key}_links", ()))


def _pages(ask: Ask, key: str, more: Callable[[Body], bool]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    query: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        body = ask(query)
        fresh = [entry for entry in body[key] if str(entry["id"]) not in seen]
        yield from fresh
        # A page that brings nothing new ends the list too: some services repeat the last one for ever.
        if not fresh or not more(body):
            return
        seen.update(str(entry["id"]) for entry in fresh)
        query = {"marker": str(body[key][-1]["id"])}
    raise CloudError(f"the list of {key} has no end: {len(seen)} were read on {MOST_PAGES} pages")
