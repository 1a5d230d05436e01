"""What a cloud offers to choose from: images, flavors, networks, found by id or name.

Refuses to guess: a name that fits none or several is an error that lists what would fit.
"""

from __future__ import annotations

import difflib
import threading
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from tasks.cloud.paging import has_next_link, whole
from tasks.errors import Conflict, NotFound
from tasks.findings import Finding, looked

# So many names of offers fit into an error.
MANY = 8


class Asked(Protocol):
    """An adapter that answers GET with JSON, or raises a CloudError."""

    def get(self, url: str, **kwargs: Any) -> Any:
        """Ask for a path of the API."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Something to choose. `ram` (MiB) and `cores` are those of a flavor."""

    id: str
    name: str
    ram: int = 0
    cores: int = 0


class Offers:
    """Everything of one kind that the cloud offers; listed once, at the first question, over all pages.

    :param kind: the singular, such as "image"; the API wraps one in it and a list in its plural.
    :param path: where the list is; one is at `path` without "/detail", followed by its id.
    """

    def __init__(self, adapter: Asked, *, kind: str, path: str) -> None:
        self._adapter = adapter
        self._kind = kind
        self._path = path
        self._listed: tuple[Offer, ...] | None = None
        self._lock = threading.Lock()

    def find(self, wanted: str) -> Offer:
        """Find an offer by id, else by its exact name.

        :raises NotFound: there is none; near names are in the advice.
        :raises Conflict: several have that name.
        """
        listed = self._list()
        found = [offer for offer in listed if offer.id == wanted] or [offer for offer in listed if offer.name == wanted]
        if len(found) > 1:
            ids = ", ".join(offer.id for offer in found)
            raise Conflict(f"{len(found)} {self._kind}s are named {wanted!r}", advice=f"choose one by id: {ids}")
        return found[0] if found else self._unlisted(wanted)

    def finding(self, wanted: str) -> Finding:
        """Say whether the choice can be had, and how it is called and numbered.

        :raises CloudError: the API cannot be asked.
        """

        def look() -> str:
            found = self.find(wanted)
            return f"{found.name or found.id} ({found.id})"

        remedy = f"set `server.{self._kind}`"
        return looked(self._kind, look, remedy, wrong_when=(NotFound, Conflict))

    def _unlisted(self, wanted: str) -> Offer:
        # Shared and private ones can be used by id although they are in no list.
        try:
            path = f"{self._path.removesuffix('/detail')}/{quote(wanted, safe='')}"
            return _offer(self._adapter.get(path).json()[self._kind])
        except NotFound:
            pass
        raise NotFound(f"there is no {self._kind} {wanted!r}", advice=self._near(wanted))

    def _near(self, wanted: str) -> str:
        names = sorted({name for offer in self._list() for name in (offer.name, offer.id) if name})
        near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.4)
        if near:
            return f"did you mean {' or '.join(map(repr, near))}?"
        some = ", ".join(offer.name or offer.id for offer in self._list()[:MANY])
        return f"there is {some}{' …' if len(self._list()) > MANY else ''}" if some else "there are none at all"

    def _list(self) -> tuple[Offer, ...]:
        with self._lock:
            if self._listed is None:
                key = f"{self._kind}s"
                self._listed = tuple(map(_offer, whole(self._page, key=key, more=has_next_link(key))))
            return self._listed

    def _page(self, query: dict[str, str]) -> Any:
        return self._adapter.get(self._path, params=query).json()


def _offer(body: dict[str, Any]) -> Offer:
    name, ram, cores = body.get("name") or "", body.get("ram") or 0, body.get("vcpus") or 0
    return Offer(id=str(body["id"]), name=name, ram=int(ram), cores=int(cores))
