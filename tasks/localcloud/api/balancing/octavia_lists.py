"""What Octavia's lists read from a query: filters, tags, sorting, pages and fields (octavia/api/common/pagination.py).

Works on what is shown. Parameters that name no attribute are ignored, as the service does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request

from tasks.localcloud.balancing.octavia_faults import Fault

Json = dict[str, Any]

PAGE_LIMIT = 1000
TAG_FILTERS: Mapping[str, Callable[[set[str], set[str]], bool]] = {
    "tags": lambda wanted, tags: wanted <= tags,
    "tags-any": lambda wanted, tags: bool(wanted & tags),
    "not-tags": lambda wanted, tags: not wanted <= tags,
    "not-tags-any": lambda wanted, tags: not wanted & tags,
}


def listing(request: Request, root: str, shown: Iterable[Json]) -> Json:
    """Answer a list: what matches, in order, one page of it, and where the next and the previous page are.

    :raises Fault: 400, marker, limit or order are not valid.
    """
    query = request.query_params
    matching = ordered([item for item in shown if matches(item, query)], query)
    start, stop = bounds(matching, query)
    page = matching[start:stop]
    links = []
    if page and stop < len(matching):
        links.append(_link(request, "next", page[-1]["id"]))
    if page and start > 0:
        links.append(_link(request, "previous", page[0]["id"]))
    return {root: [only_fields(item, query) for item in page], f"{root}_links": links}


def matches(item: Json, query: QueryParams) -> bool:
    """Whether something has all the attributes that a query asks for, and the tags."""
    tags = set(item.get("tags", []))
    if any(not test(set(query[name].split(",")), tags) for name, test in TAG_FILTERS.items() if name in query):
        return False
    plain = {name: value for name, value in item.items() if not isinstance(value, list | dict)}
    asked = {name: {_text(value) for value in query.getlist(name)} for name in query if name in plain}
    return all(_text(plain[name]) in wanted for name, wanted in asked.items())


def only_fields(item: Json, query: QueryParams) -> Json:
    """Leave out what `fields`, if there are any, do not name."""
    wanted = {name for text in query.getlist("fields") for name in text.split(",")}
    return {name: value for name, value in item.items() if name in wanted} if wanted else item


def ordered(items: Sequence[Json], query: QueryParams) -> list[Json]:
    """Sort by `sort=name:desc,id`, or by `sort_key` and `sort_dir`; without them the oldest comes first.

    :raises Fault: 400, no such attribute or direction.
    """
    directions = [*query.get("sort_dir", "").split(","), *[""] * len(query.getlist("sort_key"))]
    keys = [f"{key}:{direction}" for key, direction in zip(query.getlist("sort_key"), directions, strict=False)]
    found = list(items)
    for key in reversed(query["sort"].split(",") if query.get("sort") else keys):
        name, _, direction = key.partition(":")
        if direction not in {"", "asc", "desc"}:
            raise Fault(400, f"Supplied sort direction '{direction}' is not valid.")
        if any(name not in item for item in found):
            raise Fault(400, f"Supplied sort key '{name}' is not valid.")
        found.sort(key=_by(name), reverse=direction == "desc")
    return found


def bounds(items: Sequence[Json], query: QueryParams) -> tuple[int, int]:
    """Find where a page begins and ends: after `marker`, or before it with `page_reverse`, at most `limit` long.

    :raises Fault: 400.
    """
    limit = _limit(query)
    position = _position(items, query.get("marker"))
    if query.get("page_reverse", "").lower() == "true":
        stop = len(items) if position is None else position
        return max(0, stop - limit), stop
    start = 0 if position is None else position + 1
    return start, start + limit


def _position(items: Sequence[Json], marker: str | None) -> int | None:
    if marker is None:
        return None
    for position, item in enumerate(items):
        if item.get("id") == marker:
            return position
    raise Fault(400, f"Supplied pagination marker '{marker}' is not valid.")


def _limit(query: QueryParams) -> int:
    text = query.get("limit")
    if text is None:
        return PAGE_LIMIT
    if not text.isdecimal():
        raise Fault(400, f"Supplied pagination limit '{text}' is not valid.")
    return min(int(text) or PAGE_LIMIT, PAGE_LIMIT)


def _link(request: Request, rel: str, marker: str) -> Json:
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in {"marker", "page_reverse"}]
    reverse = [("page_reverse", "True")] if rel == "previous" else []
    url = request.url.replace(query=urlencode([*kept, ("marker", marker), *reverse]))
    return {"rel": rel, "href": str(url)}


def _by(name: str) -> Callable[[Json], str]:
    return lambda item: _text(item[name])


def _text(value: object) -> str:
    """Make values comparable with what a query says: `true` and `True` are the same."""
    text = "" if value is None else str(value)
    return text.lower() if text.lower() in {"true", "false"} else text
