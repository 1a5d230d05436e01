"""Keypairs and images that were made for our app and environment, and that no server of the account needs any more.

Finds what nobody else can have made: a keypair is named after the key it holds, an image says whose it is. Refuses to
decide whether they are to go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from keystoneauth1.adapter import Adapter

from tasks.cloud import keypairs
from tasks.cloud.answers import utc
from tasks.cloud.paging import has_next_link, whole
from tasks.cloud.profiles import ServerProfile
from tasks.errors import NotFound
from tasks.rollout.model import Spare

KEYPAIR = "keypair"
IMAGE = "image"
# An image that is still being written, or is gone, is nobody's spare.
NOT_THERE = {"SAVING", "DELETED"}

Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Spares:
    """Finds and deletes them.

    :param api: the compute API without a microversion: higher ones have no images, and keypairs in pages.
    """

    api: Adapter
    profile: ServerProfile

    def found(self, servers: Callable[[], Iterable[Body]]) -> Iterator[Spare]:
        """List them.

        :param servers: lists all servers of the account; asked last, so that one that is just being made counts.
        """
        pairs, images = list(self._keypairs()), list(self._images())
        there = list(servers())
        keys = {server.get("key_name") for server in there} | keypairs.kept(self.profile)
        made_from = {(server.get("image") or {}).get("id") for server in there} | {self.profile.image}
        yield from (self._keypair(pair) for pair in pairs if pair["name"] not in keys)
        yield from (_image(image) for image in images if not made_from & {image["id"], image["name"]})

    def discard(self, spare: Spare) -> None:
        """Delete one; one that is gone already is no error."""
        path = {KEYPAIR: "/os-keypairs", IMAGE: "/images"}[spare.kind]
        try:
            self.api.delete(f"{path}/{quote(spare.id, safe='')}")
        except NotFound:
            return

    def _keypairs(self) -> Iterator[Body]:
        listed = (entry["keypair"] for entry in self._ask("/os-keypairs")["keypairs"])
        return (pair for pair in listed if keypairs.is_ours(self.profile, pair["name"], pair["public_key"]))

    def _images(self) -> Iterator[Body]:
        ours = {"app": self.profile.app, "environment": self.profile.environment}.items()

        def page(query: dict[str, str]) -> Any:
            return self._ask("/images/detail", **query)

        for image in whole(page, key="images", more=has_next_link("images")):
            if ours <= (image.get("metadata") or {}).items() and image.get("status") not in NOT_THERE:
                yield image

    def _keypair(self, pair: Body) -> Spare:
        return Spare(kind=KEYPAIR, id=pair["name"], name=pair["name"], created=self._created(pair["name"]))

    def _created(self, name: str) -> datetime | None:
        # Only the keypair itself says it, not the list.
        try:
            return _moment(self._ask(f"/os-keypairs/{name}")["keypair"].get("created_at"))
        except NotFound:
            return None

    def _ask(self, path: str, **query: str) -> Any:
        return self.api.get(path, params=query).json()


def _image(image: Body) -> Spare:
    return Spare(kind=IMAGE, id=image["id"], name=image["name"], created=_moment(image.get("created")))


def _moment(said: str | None) -> datetime | None:
    return utc(said) if said else None
