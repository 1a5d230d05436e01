"""What can go wrong with servers between the API and what is behind it: lost answers, lists that lag, lost metadata."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request

from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.outages import UNEXPECTED
from tasks.localcloud.compute.quotas import Count
from tasks.localcloud.compute.server import Server, ServerRequest
from tasks.localcloud.faults.names import FaultName


def unexpected() -> HTTPException:
    """Give what Nova answers when something behind its API has failed."""
    return HTTPException(500, UNEXPECTED)


def accept(compute: Compute, request: ServerRequest, count: Count) -> list[Server]:
    """Accept new servers.

    :raises Forbidden: a quota or limit does not allow it; none is built.
    :raises HTTPException: 500, by a fault; whether there are servers, and whether lists show them, depends on which.
    """
    if compute.faults.take(FaultName.CREATE_500, about=request.name):
        raise unexpected()
    servers = compute.servers.create(request, count)
    if compute.faults.take(FaultName.CREATE_500_BUT_CREATED, about=request.name):
        raise unexpected()
    if late := compute.faults.take(FaultName.CREATE_LATE, about=request.name):
        for server in servers:
            compute.servers.hide(server.id, late.seconds)
        raise unexpected()
    return servers


def listed(compute: Compute, request: Request) -> list[Server]:
    """Give all servers, deleted ones included, as a list knows them, which may be what they were a while ago."""
    stale = compute.faults.take(FaultName.STALE_LISTS, about=f"GET {request.url.path}")
    return compute.servers.listed(seconds_ago=stale.seconds if stale else 0.0)


def write_metadata(compute: Compute, server_id: str, metadata: Mapping[str, str], verb: str) -> Server:
    """Replace all metadata of a server; gives the server as the answer shows it, even if the write is lost.

    :raises Conflict: the server's state does not allow it.
    :raises Forbidden: there are too many items.
    """
    before = compute.servers.find(server_id)
    written = compute.servers.write_metadata(server_id, metadata, verb)
    if compute.faults.take(FaultName.METADATA_LOST, about=before.name):
        compute.servers.change(server_id, metadata=before.metadata)
    return written
