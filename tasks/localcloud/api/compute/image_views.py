"""An image as JSON: as the image service shows it, and as compute does below 2.36.

Facts: glance api-ref, v2, images; nova/api/openstack/compute/views/images.py.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from tasks.localcloud.api.compute.compute_context import root_of
from tasks.localcloud.api.compute.server_views import whole_second
from tasks.localcloud.compute.images import Image, ImageStatus

_IN_COMPUTE = {ImageStatus.QUEUED: "SAVING", ImageStatus.SAVING: "SAVING", ImageStatus.ACTIVE: "ACTIVE"}


def service_view(image: Image, project: str) -> dict[str, Any]:
    """Show an image as the image service does: not wrapped, its properties among the other fields."""
    return {
        **image.metadata,
        "id": image.id,
        "name": image.name,
        "status": image.status,
        "visibility": "public" if image.public else "private",
        "protected": image.protected,
        "os_hidden": image.hidden,
        "owner": None if image.public else project,
        "container_format": "bare",
        "disk_format": "raw",
        "min_disk": image.min_disk,
        "min_ram": image.min_ram,
        # A disk here is a folder, which has no size and no checksum until somebody asks.
        "size": None,
        "virtual_size": None,
        "checksum": None,
        "tags": list(image.tags),
        "created_at": whole_second(image.created),
        "updated_at": whole_second(image.updated),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }


def brief_compute_view(request: Request, image: Image) -> dict[str, Any]:
    """Show what compute lists of an image."""
    root = root_of(request)
    links = [{"rel": "self", "href": f"{root}/images/{image.id}"}]
    links += [{"rel": "bookmark", "href": f"{root.removesuffix('/v2.1')}/images/{image.id}"}]
    return {"id": image.id, "name": image.name, "links": links}


def compute_view(request: Request, image: Image) -> dict[str, Any]:
    """Show an image as compute does; one that is being made names its server."""
    shown = {
        **brief_compute_view(request, image),
        "status": _IN_COMPUTE[image.status],
        "progress": {ImageStatus.QUEUED: 25, ImageStatus.SAVING: 50}.get(image.status, 100),
        "minDisk": image.min_disk,
        "minRam": image.min_ram,
        "created": whole_second(image.created),
        "updated": whole_second(image.updated),
        "metadata": dict(image.metadata),
        "OS-EXT-IMG-SIZE:size": 0,
    }
    if server_id := image.metadata.get("instance_uuid"):
        href = f"{root_of(request)}/servers/{server_id}"
        bookmark = f"{root_of(request).removesuffix('/v2.1')}/servers/{server_id}"
        links = [{"rel": "self", "href": href}, {"rel": "bookmark", "href": bookmark}]
        shown["server"] = {"id": server_id, "links": links}
    return shown
