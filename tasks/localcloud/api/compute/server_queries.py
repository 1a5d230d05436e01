"""Which servers a list shows: filters and pages.

Facts: api-ref, servers, list; nova/api/openstack/compute/servers.py (_get_servers, remove_invalid_options),
schemas/servers.py (query_params).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from tasks.localcloud.compute.refusals import BadRequest, Forbidden
from tasks.localcloud.compute.server import Server, VmState

_KNOWN = frozenset(
    """
    access_ip_v4 access_ip_v6 all_tenants auto_disk_config availability_zone block_device_mapping changes-before
    changes-since config_drive created_at deleted description display_description display_name flavor host
    hostname image image_ref instance_type_id ip ip6 kernel_id key_name launched_at limit locked marker metadata
    name not-tags not-tags-any power_state progress project_id ramdisk_id reservation_id root_device_name
    soft_deleted sort_dir sort_key status system_metadata tags tags-any task_state tenant_id terminated_at
    user_id uuid vm_state
    """.split()  # noqa: SIM905  forty names are easier to read as text
)
"""Query parameters that Nova knows; those that it keeps from users who are no administrators, it drops silently."""

_SORT_KEYS: dict[str, Callable[[Server], Any]] = {
    "created_at": lambda server: server.created,
    "updated_at": lambda server: server.updated,
    "display_name": lambda server: server.name,
    "uuid": lambda server: server.id,
    "vm_state": lambda server: server.vm_state,
}

Test = Callable[[Server], bool]


def select(servers: Sequence[Server], query: QueryParams, minor: int) -> list[Server]:
    """Give those of all servers, deleted ones included, that match a query; in their order unless it asks for another.

    :raises BadRequest: a value is malformed, or from 2.75 on a parameter is unknown.
    :raises Forbidden: all tenants are asked for.
    """
    _check(query, minor)
    tests = [test(query[name]) for name, test in _tests(minor).items() if query.get(name)]
    statuses = {status.upper() for status in query.getlist("status")}
    if statuses:
        tests.append(lambda server: server.status in statuses)
    by_change = "changes-since" in query or ("changes-before" in query and minor >= 66)
    if not by_change:
        tests.append(lambda server: server.vm_state is not VmState.DELETED)
    return _sorted([server for server in servers if all(test(server) for test in tests)], query)


def _sorted(servers: list[Server], query: QueryParams) -> list[Server]:
    """Order a list by its `sort_key`s, the first one counting most, each with its `sort_dir` (desc when not given).

    :raises BadRequest: a key or direction does not exist.
    """
    keys, directions = query.getlist("sort_key"), query.getlist("sort_dir")
    directions += ["desc"] * (len(keys) - len(directions))
    if not set(keys) <= set(_SORT_KEYS) or not set(directions) <= {"asc", "desc"}:
        raise BadRequest("Invalid input for query parameters sort_key or sort_dir")
    for key, direction in reversed(list(zip(keys, directions, strict=False))):
        servers = sorted(servers, key=_SORT_KEYS[key], reverse=direction == "desc")
    return servers


def _check(query: QueryParams, minor: int) -> None:
    unknown = set(query) - _KNOWN
    if unknown and minor >= 75:
        names = ", ".join(f"'{name}'" for name in sorted(unknown))
        raise BadRequest(f"Additional properties are not allowed ({names} unexpected)")
    if query.get("all_tenants", "").lower() in {"1", "true", "t", "yes", "on"}:
        raise Forbidden("Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed.")
    if any(status.upper() == "DELETED" for status in query.getlist("status")):
        raise Forbidden("Only administrators may list deleted instances")
    since, before = query.get("changes-since"), query.get("changes-before")
    if minor >= 66 and since and before and _moment("changes-since", since) > _moment("changes-before", before):
        raise BadRequest("The value of changes-since must be less than or equal to changes-before.")


def _tests(minor: int) -> dict[str, Callable[[str], Test]]:
    """Give a maker of tests for each filter that users have."""
    tests: dict[str, Callable[[str], Test]] = {
        "name": lambda text: _matching(text, lambda server: server.name),
        "ip": lambda text: _matching(text, lambda server: server.private_ip),
        "image": lambda image_id: lambda server: server.request.image.id == image_id,
        "flavor": lambda flavor_id: lambda server: server.request.flavor.id == flavor_id,
        "reservation_id": lambda reservation: lambda server: server.reservation_id == reservation,
        "changes-since": _changed_since,
    }
    if minor >= 66:
        tests["changes-before"] = _changed_before
    if minor >= 26:
        tests["tags"] = lambda tags: lambda server: set(tags.split(",")) <= set(server.request.tags)
        tests["tags-any"] = lambda tags: lambda server: not set(tags.split(",")).isdisjoint(server.request.tags)
        tests["not-tags"] = lambda tags: lambda server: not set(tags.split(",")) <= set(server.request.tags)
        tests["not-tags-any"] = lambda tags: lambda server: set(tags.split(",")).isdisjoint(server.request.tags)
    if minor >= 83:
        tests["key_name"] = lambda name: lambda server: bool(server.request.key and server.request.key.name == name)
        tests["vm_state"] = lambda state: lambda server: server.vm_state == state
        tests["task_state"] = lambda state: lambda server: server.task_state == state
    return tests


def _matching(text: str, value: Callable[[Server], str]) -> Test:
    """Test a regular expression that may match anywhere, as the database does."""
    try:
        expression = re.compile(text)
    except re.error as error:
        raise BadRequest(f"Invalid filter value {text}: {error}") from None
    return lambda server: expression.search(value(server)) is not None


def _changed_since(text: str) -> Test:
    moment = _moment("changes-since", text)
    return lambda server: server.updated >= moment.replace(microsecond=0)


def _changed_before(text: str) -> Test:
    moment = _moment("changes-before", text)
    return lambda server: server.updated.replace(microsecond=0) <= moment


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"Invalid input for query parameters {name}. Value: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a list; `follows` is the query of the next one, None on the last."""

    servers: Sequence[Server]
    follows: str | None

    def links(self, url: str) -> dict[str, Any]:
        """Give the `servers_links` of the answer; nothing on the last page."""
        if self.follows is None:
            return {}
        return {"servers_links": [{"rel": "next", "href": f"{url}?{self.follows}"}]}


def page(servers: Sequence[Server], query: QueryParams, cap: int) -> Page:
    """Cut one page out of a list: after `marker`, at most `limit` and never more than `cap` servers.

    A full page has a next one, even when that turns out empty (nova/api/openstack/common.py, _get_collection_links).

    :raises BadRequest: `limit` is no number, or `marker` no server of the list.
    """
    limit = min(_limit(query.get("limit")), cap)
    start = _after(servers, query["marker"]) if query.get("marker") else 0
    shown = servers[start : start + limit]
    if not shown or len(shown) < limit:
        return Page(servers=shown, follows=None)
    kept = [(name, value) for name, value in query.multi_items() if name != "marker"]
    return Page(servers=shown, follows=urlencode([*kept, ("marker", shown[-1].id)]))


def _limit(text: str | None) -> int:
    if text is None:
        return 2**31
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"Invalid input for query parameters limit. Value: {text}. '{text}' does not match '^[0-9]*$'")
    return int(text)


def _after(servers: Sequence[Server], marker: str) -> int:
    for index, server in enumerate(servers):
        if server.id == marker:
            return index + 1
    raise BadRequest(f"marker [{marker}] not found")
