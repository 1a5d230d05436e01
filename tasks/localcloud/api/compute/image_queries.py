"""Which images a list shows: filters, order and pages. Facts: glance api-ref, v2, images, list."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from tasks.localcloud.compute.refusals import BadRequest

_PAGE = 25
_MOST = 1000
_NO_FILTERS = {"limit", "marker", "sort", "sort_key", "sort_dir", "member_status", "size_min", "size_max", "tag"}
_TIMES = ("created_at", "updated_at")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}
_SORT_KEYS = {"id", "name", "status", "container_format", "disk_format", "created_at", "updated_at", "size"}

View = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ImagePage:
    """One page of a list; `follows` is the query of the next one, None on the last."""

    images: Sequence[View]
    follows: str | None


def page(views: Sequence[View], query: QueryParams) -> ImagePage:
    """Give the page of images, shown as the service shows them, that a query asks for; 25 unless it says otherwise.

    :raises BadRequest: a filter, order, limit or marker makes no sense.
    """
    found = _sorted([view for view in views if _matches(view, query)], query)
    start = _after(found, query["marker"]) if query.get("marker") else 0
    limit = min(_limit(query.get("limit", str(_PAGE))), _MOST)
    shown = found[start : start + limit]
    if not shown or len(found) <= start + limit:
        return ImagePage(images=shown, follows=None)
    kept = [(name, value) for name, value in query.multi_items() if name != "marker"]
    return ImagePage(images=shown, follows=urlencode([*kept, ("marker", shown[-1]["id"])]))


def _matches(view: View, query: QueryParams) -> bool:
    if not {*query.getlist("tag")} <= {*view["tags"]}:
        return False
    if "os_hidden" not in query and view["os_hidden"]:
        return False
    filters = [(name, value) for name, value in query.multi_items() if name not in _NO_FILTERS]
    return all(_fits(name, view.get(name), value) for name, value in filters)


def _fits(name: str, has: Any, wanted: str) -> bool:
    if name in _TIMES:
        return _compares(str(has), wanted)
    if name == "visibility" and wanted == "all":
        return True
    if wanted.startswith("in:"):
        return str(has) in [choice.strip('"') for choice in wanted.removeprefix("in:").split(",")]
    if isinstance(has, bool):
        return str(has).lower() == wanted.lower()
    return str(has) == wanted


def _compares(has: str, wanted: str) -> bool:
    name, _, text = wanted.partition(":")
    if name not in _COMPARISONS:
        name, text = "eq", wanted
    try:
        moments = [datetime.fromisoformat(moment) for moment in (has, text)]
    except ValueError:
        raise BadRequest(f"Invalid time value {text}") from None
    return _COMPARISONS[name](*(moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments))


def _sorted(views: list[View], query: QueryParams) -> list[View]:
    """Order by `sort=key:dir,…` or by `sort_key` and `sort_dir` pairs; newest first when not asked."""
    wanted = [part.partition(":") for part in query.get("sort", "").split(",") if part]
    orders = [(key, direction or "desc") for key, _, direction in wanted]
    directions = query.getlist("sort_dir") or ["desc"]
    for index, key in enumerate(query.getlist("sort_key")):
        orders.append((key, directions[min(index, len(directions) - 1)]))
    if not {key for key, _ in orders} <= _SORT_KEYS or not {way for _, way in orders} <= {"asc", "desc"}:
        raise BadRequest("Invalid sort key or direction")
    for key, direction in reversed(orders):
        views = sorted(views, key=lambda view: str(view[key]), reverse=direction == "desc")
    return views


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadRequest("limit param must be an integer")
    return int(text)


def _after(views: Sequence[View], marker: str) -> int:
    for index, view in enumerate(views):
        if view["id"] == marker:
            return index + 1
    raise BadRequest(f"Invalid marker: image {marker} could not be found.")
