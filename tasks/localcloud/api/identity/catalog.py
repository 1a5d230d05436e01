"""Which services there are and where: the service catalog in the shapes of identity v2.0 and v3.

Names and types are Rackspace's (Identity docs, service-access), or OpenStack's (service types authority).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.localcloud.options import Face


@dataclass(frozen=True, kw_only=True)
class Service:
    """One entry of the catalog; `path` is where it is served, `{project}` stands for the project's id."""

    name: str
    type: str
    path: str


_RACKSPACE = (
    Service(name="cloudServersOpenStack", type="compute", path="/compute/v2.1"),
    Service(name="cloudImages", type="image", path="/image/v2"),
    Service(name="cloudLoadBalancers", type="rax:load-balancer", path="/clb/v1.0/{project}"),
)
_IDENTITY = Service(name="keystone", type="identity", path="/identity")
"""In the catalog of v3 alone: the one of v2.0 lists everything else (Identity docs, service-access)."""
_NETWORK_AND_OCTAVIA = (
    Service(name="neutron", type="network", path="/network"),
    Service(name="octavia", type="load-balancer", path="/load-balancer"),
)
SERVICES: Mapping[Face, tuple[Service, ...]] = {
    Face.RACKSPACE: _RACKSPACE,
    Face.OPENSTACK: (
        Service(name="nova", type="compute", path="/compute/v2.1"),
        # Without a version, as OpenStack's is and Rackspace's is not: some clients add it, the others find it out.
        Service(name="glance", type="image", path="/image"),
        *_NETWORK_AND_OCTAVIA,
    ),
    Face.BOTH: (*_RACKSPACE, *_NETWORK_AND_OCTAVIA),
}


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """The services of one project in one region, as seen from a client that asked at `root` (http://host:port)."""

    root: str
    region: str
    project: str
    face: Face = Face.BOTH

    def v2(self) -> list[dict[str, Any]]:
        """Give `access.serviceCatalog` of identity v2.0."""
        return [
            {"name": service.name, "type": service.type, "endpoints": [self._v2_endpoint(service)]}
            for service in SERVICES[self.face]
        ]

    def v3(self) -> list[dict[str, Any]]:
        """Give `token.catalog` of identity v3."""
        return [
            {"id": _id(service.type), "name": service.name, "type": service.type, "endpoints": [self._v3(service)]}
            for service in (_IDENTITY, *SERVICES[self.face])
        ]

    def _v2_endpoint(self, service: Service) -> dict[str, str]:
        return {"region": self.region, "tenantId": self.project, "publicURL": self._url(service)}

    def _v3(self, service: Service) -> dict[str, str]:
        return {
            "id": _id(f"{service.type} {self.region}"),
            "interface": "public",
            "region": self.region,
            "region_id": self.region,
            "url": self._url(service),
        }

    def _url(self, service: Service) -> str:
        return self.root + service.path.format(project=self.project)


def _id(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"local-cloud {name}").hex
