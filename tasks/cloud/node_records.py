"""The record of the servers that nodes were added for, as metadata items of a load balancer.

There is room for 25 items of 256 characters: one says what the names begin with, and by address how they end. It is
named after what it says, so that the same is never recorded twice. Refuses to know how items get there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from os.path import commonprefix

PREFIX = "nodes-"
# Of a value, in characters; names must not be longer than 32 (CLB docs, metadata; atlas-lb, MetaValidator).
LONGEST_VALUE = 256


def written(names: Mapping[str, str]) -> dict[str, str]:
    """Give the items that say which server is at which address."""
    common = commonprefix(list(names.values()))  # noqa: RUF071  characters are meant, these are no paths
    rest = {address: names[address].removeprefix(common) for address in sorted(names)}
    values = (json.dumps([common, part], separators=(",", ":")) for part in _parts(common, rest))
    return {f"{PREFIX}{hashlib.sha256(value.encode()).hexdigest()[:12]}": value for value in values}


def _parts(common: str, rest: Mapping[str, str]) -> Iterator[dict[str, str]]:
    part: dict[str, str] = {}
    for address, end in rest.items():
        longer = {**part, address: end}
        if part and len(json.dumps([common, longer], separators=(",", ":"))) > LONGEST_VALUE:
            yield part
            longer = {address: end}
        part = longer
    if part:
        yield part


def read(name: str, value: str) -> dict[str, str]:
    """Give the names of servers by address that an item says; none when it is no record, or not readable."""
    if not name.startswith(PREFIX):
        return {}
    try:
        common, rest = json.loads(value)
        return {address: f"{common}{end}" for address, end in rest.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
