"""The images: the operating system and the Python of this very machine, and what has been made of servers."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from tasks.localcloud.compute.refusals import NotFound


class ImageStatus(StrEnum):
    """How far an image is, as the image service says it."""

    QUEUED = "queued"
    SAVING = "saving"
    ACTIVE = "active"


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a server boots from; `min_disk` in GiB. A public one is the cloud's, a private one the project's.

    `metadata` is what is said about it beyond that, the image service's additional properties.
    """

    id: str
    name: str
    created: datetime
    updated: datetime
    metadata: Mapping[str, str]
    status: ImageStatus = ImageStatus.ACTIVE
    public: bool = False
    protected: bool = False
    hidden: bool = False
    min_disk: int = 0
    min_ram: int = 0
    tags: tuple[str, ...] = ()


class Images:
    """The images of one cloud."""

    def __init__(self, *images: Image) -> None:
        self._images = {image.id: image for image in images}

    def all(self) -> list[Image]:
        """Give every image, newest first."""
        return list(reversed(self._images.values()))

    def has(self, image_id: str) -> bool:
        """Say whether there is an image of this id."""
        return image_id in self._images

    def find(self, image_id: str) -> Image:
        """Give one image.

        :raises NotFound: there is none of this id.
        """
        try:
            return self._images[image_id]
        except KeyError:
            raise NotFound(f"Image {image_id} could not be found.") from None

    def add(self, name: str, metadata: Mapping[str, str], min_disk: int) -> Image:
        """Make a record of a private image that is not there yet."""
        now = datetime.now(UTC)
        image = Image(
            id=str(uuid.uuid4()),
            name=name,
            created=now,
            updated=now,
            metadata=MappingProxyType(dict(metadata)),
            status=ImageStatus.QUEUED,
            min_disk=min_disk,
        )
        self._images[image.id] = image
        return image

    def change(self, image_id: str, **changes: Any) -> Image:
        """Change fields of an image; gives what it is now.

        :raises NotFound: there is none of this id.
        """
        image = replace(self.find(image_id), updated=datetime.now(UTC), **changes)
        self._images[image_id] = image
        return image

    def remove(self, image_id: str) -> None:
        """Forget an image."""
        del self._images[image_id]


# The same on every machine, so that settings can name it; its metadata says which system it is.
NAME = "Local Linux"


def image_of_this_machine() -> Image:
    """Describe what servers run on here; the id is the same on every start, as long as the system is."""
    distribution, version = _operating_system()
    python = platform.python_version()
    metadata = {"os_distro": distribution, "os_version": version, "architecture": platform.machine(), "python": python}
    now = datetime.now(UTC)
    return Image(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"local-cloud image {distribution} {platform.machine()} {python}")),
        name=NAME,
        created=now,
        updated=now,
        metadata=MappingProxyType(metadata),
        public=True,
        protected=True,
    )


def _operating_system() -> tuple[str, str]:
    """Give the distribution's short name and version, as /etc/os-release has them."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return release.get("ID", "linux"), release.get("VERSION_ID", "")
