"""Servers over HTTP: create, list, show, rename, delete. Their rules are the model's.

Facts: api-ref, servers; nova/api/openstack/compute/servers.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.localcloud.api.bodies import Requested, read_json
from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.compute.microversions import spoken
from tasks.localcloud.api.compute.server_accidents import accept, listed, unexpected
from tasks.localcloud.api.compute.server_bodies import (
    ChangeServer,
    CreateServer,
    NewServer,
    RequestedNetwork,
    check_keys,
    check_new,
    decode,
)
from tasks.localcloud.api.compute.server_queries import page, select
from tasks.localcloud.api.compute.server_views import ZONE
from tasks.localcloud.compute.flavors import Flavor, find_flavor
from tasks.localcloud.compute.images import Image, ImageStatus
from tasks.localcloud.compute.keypairs import Keypair
from tasks.localcloud.compute.quotas import Count
from tasks.localcloud.compute.refusals import BadRequest, Forbidden, NotFound
from tasks.localcloud.compute.server import ServerRequest
from tasks.localcloud.faults.names import FaultName

NETWORKS = frozenset({"00000000-0000-0000-0000-000000000000", "11111111-1111-1111-1111-111111111111"})
"""Rackspace's PublicNet and ServiceNet, accepted so that its settings work here; there is only the private network."""


class ServersApi:
    """`/servers` and `/servers/{id}`."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute

    def routes(self) -> list[Route]:
        """Give the routes, below the compute endpoint."""
        return [
            Route("/servers", self.list, methods=["GET"]),
            Route("/servers", self.create, methods=["POST"]),
            Route("/servers/detail", self.detail, methods=["GET"]),
            Route("/servers/{id}", self.show, methods=["GET"]),
            Route("/servers/{id}", self.update, methods=["PUT"]),
            Route("/servers/{id}", self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """Accept servers, 202: the answer says little more than the id."""
        body = await read_json(request)
        check_new(body, spoken(request).minor)
        asked = Requested(CreateServer).read(body)
        wanted, count = asked.server, _count(asked.server)
        group = self._group(asked.group(), count)
        servers = accept(self._compute, replace(self._request(wanted), group=group), count)
        if wanted.return_reservation_id in {True, "true", "True", "1"}:
            return JSONResponse({"reservation_id": servers[0].reservation_id}, status_code=202)
        links = self._compute.view(request).links(servers[0])
        answer = {
            "id": servers[0].id,
            "links": links,
            "OS-DCF:diskConfig": wanted.disk_config,
            "security_groups": [{"name": name} for name in servers[0].request.security_groups],
            "adminPass": wanted.password(),
        }
        return JSONResponse({"server": answer}, status_code=202, headers={"Location": links[0]["href"]})

    async def list(self, request: Request) -> Response:
        """List ids and names."""
        return self._page(request, self._compute.view(request).brief)

    async def detail(self, request: Request) -> Response:
        """List everything."""
        return self._page(request, self._compute.view(request).full)

    async def show(self, request: Request) -> Response:
        """Show one server."""
        server = self._compute.servers.find(request.path_params["id"])
        return JSONResponse({"server": self._compute.view(request).alone(server)})

    async def update(self, request: Request) -> Response:
        """Change a server's name, description, host name or disk configuration; gives what it is now."""
        body = await read_json(request)
        check_keys(body, spoken(request).minor)
        wanted = Requested(ChangeServer).read(body).server
        server = self._compute.servers.find(request.path_params["id"])
        named = {"name"} & wanted.model_fields_set
        fields = {"description", "hostname", "disk_config"} & wanted.model_fields_set
        asked_for = replace(server.request, **{field: getattr(wanted, field) for field in fields})
        changes = {field: getattr(wanted, field) for field in named}
        changed = self._compute.servers.change(server.id, request=asked_for, **changes)
        return JSONResponse({"server": self._compute.view(request).alone(changed)})

    async def delete(self, request: Request) -> Response:
        """Begin to delete a server, 204: it is gone when it answers 404."""
        server = self._compute.servers.find(request.path_params["id"])
        if self._compute.faults.take(FaultName.DELETE_500, about=server.name):
            raise unexpected()
        self._compute.servers.delete(server.id)
        return Response(status_code=204)

    def _page(self, request: Request, show: Any) -> Response:
        query = request.query_params
        selected = select(listed(self._compute, request), query, spoken(request).minor)
        shown = page(selected, query, self._compute.page_limit)
        url = str(request.url.replace(query=""))
        return JSONResponse({"servers": [show(server) for server in shown.servers], **shown.links(url)})

    def _request(self, wanted: NewServer) -> ServerRequest:
        _check_placement(wanted)
        if any(device.uuid != wanted.imageRef for device in wanted.block_device_mapping_v2):
            raise BadRequest("Block Device Mapping is Invalid: it names another image than imageRef does.")
        flavor = _flavor(str(wanted.flavorRef))
        return ServerRequest(
            name=wanted.name,
            image=self._image(wanted.imageRef, flavor),
            flavor=flavor,
            key=self._key(wanted.key_name),
            metadata=wanted.metadata,
            personality={file.path: decode(file.contents) for file in wanted.personality},
            user_data=decode(wanted.user_data) if wanted.user_data else None,
            config_drive=wanted.config_drive in {True, "true", "True", "1"},
            security_groups=tuple(group.name for group in wanted.security_groups) or ("default",),
            disk_config=wanted.disk_config,
            description=wanted.description,
            tags=tuple(wanted.tags),
            hostname=wanted.hostname,
        )

    def _group(self, group_id: str | None, count: Count) -> str | None:
        """Give the server group asked for, with room for so many more."""
        if not group_id:
            return None
        try:
            group = self._compute.groups.find(group_id)
        except NotFound as error:
            raise BadRequest(str(error)) from None
        members = [server for server in self._compute.servers.existing() if server.request.group == group.id]
        if len(members) + count.least > self._compute.servers.quota.server_group_members:
            raise Forbidden("Quota exceeded, too many servers in group")
        return group.id

    def _image(self, reference: str, flavor: Flavor) -> Image:
        try:
            image = self._compute.images.find(reference.rpartition("/")[2])
        except NotFound:
            raise BadRequest("Can not find requested image") from None
        if image.status is not ImageStatus.ACTIVE:
            raise BadRequest(f"Image {image.id} is not active.")
        if flavor.disk < image.min_disk:
            raise BadRequest("Flavor's disk is too small for requested image.")
        if flavor.ram < image.min_ram:
            raise BadRequest("Flavor's memory is too small for requested image.")
        return image

    def _key(self, name: str | None) -> Keypair | None:
        try:
            return self._compute.keypairs.find(name) if name else None
        except NotFound:
            raise BadRequest("Invalid key_name provided.") from None


def _flavor(reference: str) -> Flavor:
    try:
        return find_flavor(reference.rpartition("/")[2])
    except NotFound as error:
        raise BadRequest(str(error)) from None


def _count(wanted: NewServer) -> Count:
    least = int(wanted.min_count)
    most = int(wanted.max_count) if wanted.max_count is not None else least
    if least > most:
        raise BadRequest("min_count must be <= max_count")
    return Count(least=least, most=most)


def _check_placement(wanted: NewServer) -> None:
    """Refuse a zone or network that does not exist here."""
    if wanted.availability_zone not in {None, "", ZONE}:
        raise BadRequest("The requested availability zone is not available")
    if wanted.networks == "none":
        raise BadRequest("A server without a network is not offered by the local cloud: leave out networks.")
    for network in wanted.networks if isinstance(wanted.networks, list) else []:
        _check_network(network)


def _check_network(network: RequestedNetwork) -> None:
    if network.port or network.fixed_ip:
        raise BadRequest("Ports and fixed IPs are not offered by the local cloud: give the network's uuid alone.")
    if network.uuid not in NETWORKS:
        raise BadRequest(f"Network {network.uuid} could not be found.")
