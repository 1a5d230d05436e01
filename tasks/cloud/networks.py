"""Networks and subnets: names become ids (networking api-ref, networks, subnets). Asked only when there are names."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from keystoneauth1.adapter import Adapter

from tasks.cloud.identity import Access
from tasks.cloud.offers import Offers
from tasks.cloud.paging import has_next_link, whole
from tasks.cloud.patient import Pace, PatientSession

NETWORK = "network"


class NetworkApi:
    """The network API of a cloud, which need not have one as long as nothing is asked."""

    def __init__(self, access: Access, pace: Pace) -> None:
        self._access = access
        self._pace = pace
        self._offers: dict[str, Offers] = {}

    def identify(self, kind: str, wanted: str) -> str:
        """Give the id of a network or subnet that is named or given by id.

        :raises NotFound: there is none of that name, or no network API to look for it.
        :raises Conflict: several have that name.
        """
        if _is_id(wanted):
            return wanted
        if kind not in self._offers:
            self._offers[kind] = Offers(self._adapter, kind=kind, path=self._path(kind))
        return self._offers[kind].find(wanted).id

    def listed(self, kind: str) -> list[dict[str, Any]]:
        """List all networks or subnets that our project may use, over all pages.

        :raises NotFound: the cloud has no network API.
        """

        def page(query: dict[str, str]) -> Any:
            return self._adapter.get(self._path(kind), params=query).json()

        return whole(page, key=f"{kind}s", more=has_next_link(f"{kind}s"))

    @cached_property
    def _adapter(self) -> Adapter:
        session = PatientSession(self._access.session, api=NETWORK, pace=self._pace)
        return self._access.adapter(NETWORK, session, what="networks, so that they cannot be named: give their ids")

    def _path(self, kind: str) -> str:
        # Neutron's catalog entry is at its root; Rackspace's includes the version.
        versioned = (self._adapter.get_endpoint() or "").rstrip("/").endswith("/v2.0")
        return f"/{kind}s" if versioned else f"/v2.0/{kind}s"


def resolve(wanted: tuple[str, ...], access: Access, pace: Pace) -> tuple[str, ...]:
    """Give the ids of networks that are named or given by id.

    :raises NotFound: there is no network of that name, or no network API to look for it.
    :raises Conflict: several networks have that name.
    """
    api = NetworkApi(access, pace)
    return tuple(api.identify(NETWORK, network) for network in wanted)


def _is_id(network: str) -> bool:
    try:
        UUID(network)
    except ValueError:
        return False
    return True
