"""The images: there is one, the operating system and the Python of this very machine."""

from __future__ import annotations

import platform
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from tasks.localcloud.refusals import NotFound


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a server boots from."""

    id: str
    name: str
    created: datetime
    metadata: MappingProxyType[str, str]


class Images:
    """The images of one cloud."""

    def __init__(self, *images: Image) -> None:
        self._images = {image.id: image for image in images}

    def all(self) -> list[Image]:
        """Give every image."""
        return list(self._images.values())

    def find(self, image_id: str) -> Image:
        """Give one image.

        :raises NotFound: there is none of this id.
        """
        try:
            return self._images[image_id]
        except KeyError:
            raise NotFound(f"Image {image_id} could not be found.") from None


# The same on every machine, so that settings can name it; its metadata says which system it is.
NAME = "Local Linux"


def image_of_this_machine() -> Image:
    """Describe what servers run on here; the id is the same on every start, as long as the system is."""
    distribution, version = _operating_system()
    python = platform.python_version()
    metadata = {"os_distro": distribution, "os_version": version, "architecture": platform.machine(), "python": python}
    return Image(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"local-cloud image {distribution} {platform.machine()} {python}")),
        name=NAME,
        created=datetime.now(UTC),
        metadata=MappingProxyType(metadata),
    )


def _operating_system() -> tuple[str, str]:
    """Give the distribution's short name and version, as /etc/os-release has them."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return release.get("ID", "linux"), release.get("VERSION_ID", "")
