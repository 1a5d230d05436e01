"""The compute service: its version documents, and its parts behind microversions and the token check.

Facts: api-guide, versions; nova/api/openstack/compute/versions.py.
"""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from tasks.localcloud.api.authentication import TokenCheck
from tasks.localcloud.api.compute.compute_context import Compute, root_of
from tasks.localcloud.api.compute.compute_images import ComputeImagesApi
from tasks.localcloud.api.compute.instance_actions import InstanceActionsApi
from tasks.localcloud.api.compute.keypairs import KeypairsApi
from tasks.localcloud.api.compute.limits import LimitsApi
from tasks.localcloud.api.compute.microversions import NEWEST, OLDEST, Microversions
from tasks.localcloud.api.compute.offerings import FlavorsApi, ZonesApi
from tasks.localcloud.api.compute.server_actions import ServerActionsApi
from tasks.localcloud.api.compute.server_groups import ServerGroupsApi
from tasks.localcloud.api.compute.server_metadata import ServerMetadataApi
from tasks.localcloud.api.compute.server_tags import ServerTagsApi
from tasks.localcloud.api.compute.servers import ServersApi
from tasks.localcloud.api.faults import handlers, refuse_as_nova
from tasks.localcloud.identity.credentials import Tokens


def compute_application(compute: Compute, tokens: Tokens) -> Starlette:
    """Give the ASGI application of compute; paths are below its mount point."""
    routes = [
        *ServersApi(compute).routes(),
        *ServerActionsApi(compute).routes(),
        *ServerMetadataApi(compute).routes(),
        *KeypairsApi(compute).routes(),
        *ServerTagsApi(compute).routes(),
        *InstanceActionsApi(compute).routes(),
        *ServerGroupsApi(compute).routes(),
        *FlavorsApi().routes(),
        *ZonesApi().routes(),
        *ComputeImagesApi(compute).routes(),
        *LimitsApi(compute).routes(),
    ]
    middleware = [Middleware(TokenCheck, tokens=tokens), Middleware(Microversions)]
    version_2_1 = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers(refuse_as_nova))
    return Starlette(
        routes=[
            Route("/", _versions),
            Route("/v2.1", _version),
            Route("/v2.1/", _version),
            Mount("/v2.1", version_2_1),
        ],
        exception_handlers=handlers(refuse_as_nova),
    )


async def _versions(request: Request) -> Response:
    """List the one version."""
    return JSONResponse({"versions": [_describe(request)]})


async def _version(request: Request) -> Response:
    """Describe v2.1. Like the list, it is open to everybody: clients read it before they have a token."""
    media_type = {"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}
    return JSONResponse({"version": {**_describe(request), "media-types": [media_type]}})


def _describe(request: Request) -> dict[str, Any]:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": str(NEWEST),
        "min_version": str(OLDEST),
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{root_of(request)}/"}],
    }
