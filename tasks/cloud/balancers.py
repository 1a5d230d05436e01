"""The choice between the two APIs for load balancers. Refuses to know either."""

from __future__ import annotations

from tasks.cloud import clb, octavia_api
from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.identity import Access
from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.cloud.patient import Pace
from tasks.cloud.profiles import BalancerApi, BalancerProfile
from tasks.errors import NotFound

# In the order of preference, should a catalog have both.
SERVICES = {BalancerApi.CLB: clb.SERVICE, BalancerApi.OCTAVIA: octavia_api.SERVICE}
CLIENTS: dict[BalancerApi, type[CloudLoadBalancers | OctaviaLoadBalancers]] = {
    BalancerApi.CLB: CloudLoadBalancers,
    BalancerApi.OCTAVIA: OctaviaLoadBalancers,
}


def balancers_for(
    access: Access, profile: BalancerProfile, pace: Pace | None = None
) -> CloudLoadBalancers | OctaviaLoadBalancers:
    """Give the port Balancers of a cloud: of the API that the profile names, else of the first that the catalog has.

    :raises NotFound: the catalog has no such API in our region; the error says what it has.
    """
    return CLIENTS[profile.api or _offered(access)](access, profile, pace)


def _offered(access: Access) -> BalancerApi:
    for api, service_type in SERVICES.items():
        if access.service_name(service_type) is not None:
            return api
    types = " nor ".join(SERVICES.values())
    raise NotFound(
        f"the cloud {access.cloud!r} offers no load balancers in region {access.region} (catalog type neither {types})",
        advice=access.catalog(),
    )
