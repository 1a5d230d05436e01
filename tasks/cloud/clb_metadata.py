"""What the metadata of a load balancer says (CLB docs, metadata): whose it is, and for which servers it got nodes.

An item can be added while the load balancer is ACTIVE only, and adding it keeps it so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from keystoneauth1.adapter import Adapter

from tasks.cloud import node_records
from tasks.cloud.profiles import BalancerProfile
from tasks.errors import Conflict, QuotaExceeded

# CLB docs, bulk-delete load balancer metadata items.
BULK_DELETE = 10


@dataclass(frozen=True, kw_only=True)
class Item:
    """A metadata item. Ids grow with age."""

    id: int
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class BalancerMetadata:
    """Reads and writes the metadata of load balancers."""

    api: Adapter
    profile: BalancerProfile

    def is_ours(self, balancer_id: str) -> bool:
        """Say whether a load balancer says that it belongs to our app and environment."""
        said = {(item.name, item.value) for item in self._listed(balancer_id)}
        return mark(self.profile).items() <= said

    def adopt(self, balancer_id: str) -> None:
        """Make a load balancer say that it belongs to our app and environment.

        :raises Conflict: it says that it belongs to another.
        :raises Immutable: it is busy.
        """
        ours = mark(self.profile)
        said = {item.name: item.value for item in self._listed(balancer_id) if item.name in ours}
        if said.items() - ours.items():
            theirs = ", ".join(f"{name} = {value}" for name, value in said.items())
            raise Conflict(
                f"it is marked as another's: {theirs}",
                advice="use another one; or, if nobody needs that mark any more, delete these metadata items",
            )
        self._add(balancer_id, {name: value for name, value in ours.items() if name not in said})

    def owners(self, balancer_id: str) -> dict[str, str]:
        """Give the names of the servers that were recorded, by address; what was recorded last counts."""
        read = (node_records.read(item.name, item.value) for item in self._listed(balancer_id))
        return {address: name for record in read for address, name in record.items()}

    def record(self, balancer_id: str, names: Mapping[str, str], present: Callable[[], Collection[str]]) -> None:
        """Record which server is at which address, in one request unless there is no room for it.

        :param present: asked for the addresses of all nodes when there is no room: records of others are dropped.
        :raises Immutable: the load balancer is busy.
        :raises QuotaExceeded: there is no room for it, though nothing can be dropped any more.
        """
        items = node_records.written(names)
        try:
            self._add(balancer_id, items)
        except (Conflict, QuotaExceeded) as refused:
            # Recorded already, as when the nodes were refused afterwards; or full, which is tested first.
            listed = self._listed(balancer_id)
            missing = {name: items[name] for name in items.keys() - {item.name for item in listed}}
            if missing and isinstance(refused, QuotaExceeded):
                self._drop(balancer_id, _stale(listed, present()))
            self._add(balancer_id, missing)

    def _listed(self, balancer_id: str) -> list[Item]:
        bodies = self.api.get(_path(balancer_id)).json()["metadata"]
        return sorted(map(_item, bodies), key=lambda item: item.id)

    def _add(self, balancer_id: str, items: Mapping[str, str]) -> None:
        if items:
            bodies = [{"key": name, "value": value} for name, value in items.items()]
            self.api.post(_path(balancer_id), json={"metadata": bodies})

    def _drop(self, balancer_id: str, items: Iterable[Item]) -> None:
        ids = [item.id for item in items]
        for start in range(0, len(ids), BULK_DELETE):
            self.api.delete(_path(balancer_id), params={"id": ids[start : start + BULK_DELETE]})


def mark(profile: BalancerProfile) -> dict[str, str]:
    """Give the items that say whose a load balancer is."""
    return {"app": profile.app, "environment": profile.environment}


def _stale(listed: Iterable[Item], present: Collection[str]) -> list[Item]:
    records = ((item, node_records.read(item.name, item.value)) for item in listed)
    return [item for item, record in records if record and record.keys().isdisjoint(present)]


def _item(body: Mapping[str, Any]) -> Item:
    # Its id is a string at times (CLB docs, examples).
    return Item(id=int(body["id"]), name=body["key"], value=body["value"])


def _path(balancer_id: str) -> str:
    return f"/loadbalancers/{balancer_id}/metadata"
