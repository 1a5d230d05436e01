"""What Cloud Load Balancers v1.0 reads from a query: pages and ids. Unknown parameters are ignored."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.datastructures import QueryParams

from tasks.localcloud.balancing.clb_faults import bad_request

MOST = 100

Item = TypeVar("Item")


def page(items: Sequence[Item], id_of: Callable[[Item], int], query: QueryParams) -> list[Item]:
    """Cut a page out of a list: from `marker` on, including it, then `offset`, at most `limit`.

    A limit over 100, or a negative one, is 100 (CLB docs, paginated-collections).

    :raises Fault: 400, one of them is no number.
    """
    marker = number(query, "marker", 0)
    offset = max(number(query, "offset", 0), 0)
    limit = number(query, "limit", MOST)
    if not 0 <= limit <= MOST:
        limit = MOST
    return [item for item in items if id_of(item) >= marker][offset : offset + limit]


def number(query: QueryParams, name: str, default: int) -> int:
    """Read a number."""
    return as_number(query.get(name, str(default)))


def ids(query: QueryParams) -> list[int]:
    """Read the ids of a bulk request, `?id=1&id=2`, each once.

    :raises Fault: 400, one of them is no number.
    """
    return list(dict.fromkeys(as_number(text) for text in query.getlist("id")))


def as_number(text: str) -> int:
    """Read a number.

    :raises Fault: 400.
    """
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f"Bad request: {text!r} is not a number.") from error
