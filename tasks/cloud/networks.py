"""Names of networks become their ids (networking api-ref, networks). Asked only when there are names."""

from __future__ import annotations

from uuid import UUID

from tasks.cloud.identity import Access
from tasks.cloud.offers import Offers
from tasks.cloud.patient import Pace, PatientSession

NETWORK = "network"


def resolve(wanted: tuple[str, ...], access: Access, pace: Pace) -> tuple[str, ...]:
    """Give the ids of networks that are named or given by id.

    :raises NotFound: there is no network of that name, or no network API to look for it.
    :raises Conflict: several networks have that name.
    """
    if all(map(_is_id, wanted)):
        return wanted
    session = PatientSession(access.session, api=NETWORK, pace=pace)
    adapter = access.adapter(NETWORK, session, what="networks, so that they cannot be named: give their ids")
    # Neutron's catalog entry is at its root; Rackspace's includes the version.
    versioned = (adapter.get_endpoint() or "").rstrip("/").endswith("/v2.0")
    networks = Offers(adapter, kind=NETWORK, path="/networks" if versioned else "/v2.0/networks")
    return tuple(network if _is_id(network) else networks.find(network).id for network in wanted)


def _is_id(network: str) -> bool:
    try:
        UUID(network)
    except ValueError:
        return False
    return True
