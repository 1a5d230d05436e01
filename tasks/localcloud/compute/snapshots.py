"""Images that are made of servers: taken, and deleted again. Disks are the machines' affair.

Facts: nova/compute/api.py (snapshot, _create_image), nova/compute/manager.py (delete_image_on_error).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from tasks.localcloud.compute.images import Image, Images, ImageStatus
from tasks.localcloud.compute.refusals import Forbidden
from tasks.localcloud.compute.server import Server
from tasks.localcloud.compute.servers import Servers


class Snapshots:
    """Makes images of servers."""

    def __init__(self, servers: Servers, images: Images) -> None:
        self._servers = servers
        self._images = images

    def begin(self, server_id: str, name: str, properties: Mapping[str, str]) -> Image:
        """Begin to make an image of a server. It is active when servers can boot from it, gone when that fails.

        :raises Conflict: the server's state does not allow it.
        """
        server = self._servers.find(server_id)
        server.check_snapshot()
        image = self._images.add(name, self._inherited(server) | dict(properties), server.request.flavor.disk)
        taken = self._servers.copy(server_id, partial(self._take, server_id, image.id))
        taken.add_done_callback(lambda _: self._drop_unless_active(image.id))
        return image

    async def delete(self, image_id: str) -> None:
        """Delete an image and its disk; servers that were made from it keep theirs.

        :raises Forbidden: it is protected.
        """
        image = self._images.find(image_id)
        if image.protected:
            raise Forbidden(f"Image {image_id} is protected and cannot be deleted.")
        self._images.remove(image_id)
        await self._servers.machines.remove_snapshot(image_id)

    async def _take(self, server_id: str, image_id: str) -> None:
        if not self._images.has(image_id):
            return
        self._images.change(image_id, status=ImageStatus.SAVING)
        await self._servers.machines.snapshot(server_id, image_id)
        if self._images.has(image_id):
            self._images.change(image_id, status=ImageStatus.ACTIVE)
        else:  # deleted while it was being made
            await asyncio.shield(self._servers.machines.remove_snapshot(image_id))

    def _drop_unless_active(self, image_id: str) -> None:
        if self._images.has(image_id) and self._images.find(image_id).status is not ImageStatus.ACTIVE:
            self._images.remove(image_id)

    def _inherited(self, server: Server) -> dict[str, str]:
        """Give what an image says about where it comes from (api-ref, createImage)."""
        base = server.request.image
        origin = {"image_type": "snapshot", "instance_uuid": server.id, "image_location": "snapshot"}
        return {**base.metadata, **origin, "base_image_ref": base.metadata.get("base_image_ref", base.id)}
